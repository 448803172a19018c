{{/*
The two figures that workers are scaled by, of every route, as YAML: a list of {name, metric, selector, perWorker}.
`selector` is a Prometheus selector; the sum over all pods divided by `perWorker` is how many workers are wanted.
*/}}
{{- define "llm-router.figures" -}}
{{- $scaling := .Values.autoscaling -}}
{{- $scope := printf "namespace=%q,service=%q" .Release.Namespace (printf "%s-admin" (include "llm-router.fullname" .)) -}}
{{- range $route, $settings := .Values.config.routes }}
{{- $concurrency := int (default 256 $settings.concurrency) }}
- name: {{ $route | replace "." "-" | replace "_" "-" | lower }}-in-flight
  route: {{ $route }}
  metric: llm_router_queries_in_flight
  selector: {{ printf "%s,route=%q" $scope $route | squote }}
  perWorker: {{ max 1 (floor (mulf $concurrency $scaling.inFlightShare)) }}
- name: {{ $route | replace "." "-" | replace "_" "-" | lower }}-backlog
  route: {{ $route }}
  metric: llm_router_jobs
  states: [resting, fed]
  selector: {{ printf "%s,route=%q,state=~\"resting|fed\"" $scope $route | squote }}
  perWorker: {{ $scaling.backlogPerWorker }}
{{- end }}
{{- end -}}
