{{/* What can't work is refused here, with the reason and the remedy. */}}
{{- define "llm-router.checks" -}}
{{- $embedded := include "llm-router.embedded" . -}}
{{- if and $embedded (gt (int .Values.gateway.replicas) 1) -}}
{{- fail (printf "gateway.replicas is %d: the embedded broker is in the gateway's memory and on its volume, so two of them would be two brokers that know nothing of each other. Keep 1 and scale the workers (worker.replicas, autoscaling), or name a broker elsewhere: broker.url=nats://HOST:4222" (int .Values.gateway.replicas)) -}}
{{- end -}}
{{- if hasPrefix "embedded:" .Values.broker.url -}}
{{- fail "broker.url: leave it empty for the embedded broker, the chart gives it its volume" -}}
{{- end -}}
{{- if contains "@" .Values.broker.url -}}
{{- fail "broker.url: a name or password does not belong into values: put it into a Secret and name that under broker.keySecret" -}}
{{- end -}}
{{- if and (eq .Values.access "keys") (not .Values.keys.secret) -}}
{{- fail "keys.secret: name the Secret that holds the callers' keys. Make entries with `llm-router keys new --tenant NAME`, put each into keys.yaml as a line \"- ENTRY\", then: kubectl create secret generic llm-router-keys --from-file=keys.yaml. Or say access: open, if everyone who reaches the services may use them" -}}
{{- end -}}
{{- if and (eq .Values.access "open") .Values.keys.secret -}}
{{- fail "keys.secret: access is open, so keys are of no use: remove one of the two" -}}
{{- end -}}
{{- if and $embedded (eq .Values.access "keys") (not .Values.broker.keySecret.name) -}}
{{- fail "broker.keySecret.name: workers come to the gateway with a key of their own: make one with `llm-router keys new --tenant ops --access worker`, put its entry into keys.yaml and the key itself into a Secret: kubectl create secret generic llm-router-worker --from-literal=key=KEY" -}}
{{- end -}}
{{- if and $embedded .Values.tls.secret (not .Values.broker.tls.secret) -}}
{{- fail "broker.tls.secret: the gateway speaks TLS, so workers must know its CA: name a Secret with ca.crt" -}}
{{- end -}}
{{- range $name := list "access" "broker" "keys" "keys_file" "listen" "store" -}}
{{- if hasKey $.Values.config $name -}}
{{- fail (printf "config.%s: the chart sets it: use the values beside config, see values.yaml" $name) -}}
{{- end -}}
{{- end -}}
{{- if hasKey (default (dict) .Values.config.limits) "drain_seconds" -}}
{{- fail "config.limits.drain_seconds: the chart sets it, and the pods' termination grace with it: use longestQuery" -}}
{{- end -}}
{{- range $id, $provider := .Values.config.providers -}}
{{- if and $provider.key (not (regexMatch "^\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}$" $provider.key)) -}}
{{- fail (printf "config.providers.%s.key: a key does not belong into values: write \"${NAME}\", and give NAME in the Secret that providerKeys.secret names" $id) -}}
{{- end -}}
{{- end -}}
{{- if not .Values.config.routes -}}
{{- fail "config.routes: name at least one, such as openai: { targets: [ { provider: openai, model: gpt-4o-mini } ] }" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail "autoscaling.minReplicas: is more than autoscaling.maxReplicas" -}}
{{- end -}}
{{- end -}}
