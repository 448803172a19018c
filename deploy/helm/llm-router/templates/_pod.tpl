{{/*
The pod of one workload. Takes a dict: root; name (gateway, worker, jobs); roles; values (its part of the values);
broker (its URL); connects (whether that broker is elsewhere); ports (of its container, by name); data (whether it
has the volume).
*/}}
{{- define "llm-router.pod" -}}
{{- $root := .root -}}
{{- $values := .root.Values -}}
metadata:
  labels:
    {{- include "llm-router.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .name }}
  annotations:
    checksum/config: {{ include "llm-router.config" $root | sha256sum }}
    {{- with .values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "llm-router.serviceAccount" $root }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  # Longer than what is taken may still run (limits.drain_seconds), and what is then told to callers.
  terminationGracePeriodSeconds: {{ add $values.longestQuery 30 }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: { type: RuntimeDefault }
  {{- with $values.image.pullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ .name }}
      image: {{ printf "%s:%s" $values.image.repository (default $root.Chart.AppVersion $values.image.tag) }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      command: [llm-router]
      args: [serve, --config, /etc/llm-router/llm-router.yaml, --roles, {{ .roles | quote }}]
      {{- include "llm-router.environment" . | nindent 6 }}
      ports:
        {{- range $name, $port := .ports }}
        - { name: {{ $name }}, containerPort: {{ $port }} }
        {{- end }}
      {{- $scheme := ternary "HTTPS" "HTTP" (not (empty $values.tls.secret)) }}
      startupProbe:
        httpGet: { path: /health, port: admin, scheme: {{ $scheme }} }
        periodSeconds: 1
        failureThreshold: 60
      livenessProbe:
        httpGet: { path: /health, port: admin, scheme: {{ $scheme }} }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: { path: /ready, port: admin, scheme: {{ $scheme }} }
        periodSeconds: 2
        timeoutSeconds: 2
        failureThreshold: 2
      {{- if has "http" (keys .ports) }}
      # The doors close at SIGTERM: before it, those who send callers here must have heard that this pod ends.
      lifecycle: { preStop: { exec: { command: [sleep, "5"] } } }
      {{- end }}
      resources: {{- toYaml .values.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: { drop: [ALL] }
      volumeMounts:
        - { name: config, mountPath: /etc/llm-router, readOnly: true }
        - { name: tmp, mountPath: /tmp }
        {{- if .data }}
        - { name: data, mountPath: /var/lib/llm-router }
        {{- end }}
        {{- if $values.keys.secret }}
        - { name: keys, mountPath: /run/secrets/llm-router/keys, readOnly: true }
        {{- end }}
        {{- if $values.tls.secret }}
        - { name: tls, mountPath: /run/secrets/llm-router/tls, readOnly: true }
        {{- end }}
        {{- if and .connects $values.broker.tls.secret }}
        - { name: broker-tls, mountPath: /run/secrets/llm-router/broker-tls, readOnly: true }
        {{- end }}
  volumes:
    - { name: config, configMap: { name: {{ include "llm-router.fullname" $root }} } }
    - { name: tmp, emptyDir: {} }
    {{- with $values.keys.secret }}
    - { name: keys, secret: { secretName: {{ . }} } }
    {{- end }}
    {{- with $values.tls.secret }}
    - { name: tls, secret: { secretName: {{ . }} } }
    {{- end }}
    {{- if and .connects $values.broker.tls.secret }}
    - { name: broker-tls, secret: { secretName: {{ $values.broker.tls.secret }} } }
    {{- end }}
  {{- if $values.topologySpread.enabled }}
  topologySpreadConstraints:
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: {{ $values.topologySpread.whenUnsatisfiable }}
      labelSelector:
        matchLabels:
          {{- include "llm-router.selector" $root | nindent 10 }}
          app.kubernetes.io/component: {{ $.name }}
    {{- end }}
  {{- end }}
  {{- with .values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* Settings that differ between workloads, and secrets. Takes what the pod takes. */}}
{{- define "llm-router.environment" -}}
{{- $values := .root.Values -}}
env:
  - { name: LLM_ROUTER_BROKER_URL, value: {{ .broker | quote }} }
  {{- if .connects }}
  {{- with $values.broker.keySecret.name }}
  - name: LLM_ROUTER_BROKER_KEY
    valueFrom: { secretKeyRef: { name: {{ . }}, key: {{ $values.broker.keySecret.key }} } }
  {{- end }}
  {{- if $values.broker.tls.secret }}
  - { name: LLM_ROUTER_BROKER_CA, value: /run/secrets/llm-router/broker-tls/ca.crt }
  {{- if $values.broker.tls.clientCertificate }}
  - { name: LLM_ROUTER_BROKER_CERT, value: /run/secrets/llm-router/broker-tls/tls.crt }
  - { name: LLM_ROUTER_BROKER_CERT_KEY, value: /run/secrets/llm-router/broker-tls/tls.key }
  {{- end }}
  {{- end }}
  {{- end }}
  {{- if .data }}
  - { name: LLM_ROUTER_STORE, value: "sqlite:/var/lib/llm-router" }
  {{- end }}
  {{- if .connects }}
  {{- with $values.broker.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- end }}
  {{- with .values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- if and (eq .name "worker") $values.providerKeys.secret }}
envFrom:
  - secretRef: { name: {{ $values.providerKeys.secret }} }
{{- end }}
{{- end -}}

{{/* llm-router.yaml, the same for all. */}}
{{- define "llm-router.config" -}}
{{- $listen := dict "host" .Values.listenHost "grpc" 50000 "rest" 9090 "admin" 8080 "http" 4000 -}}
{{- if .Values.tls.secret -}}
{{- $files := "/run/secrets/llm-router/tls" -}}
{{- $_ := set $listen "tls" (dict "cert" (printf "%s/tls.crt" $files) "cert_key" (printf "%s/tls.key" $files)) -}}
{{- end -}}
{{- $config := dict "access" .Values.access "listen" $listen -}}
{{- if .Values.keys.secret -}}
{{- $_ := set $config "keys_file" (printf "/run/secrets/llm-router/keys/%s" .Values.keys.item) -}}
{{- end -}}
{{- $limits := dict "limits" (dict "drain_seconds" .Values.longestQuery) -}}
{{- toYaml (merge $config $limits (deepCopy .Values.config)) -}}
{{- end -}}

{{/* The volume of a StatefulSet's pod. */}}
{{- define "llm-router.volume" -}}
- metadata:
    name: data
  spec:
    accessModes: [ReadWriteOnce]
    {{- with .Values.jobs.storage.className }}
    storageClassName: {{ . }}
    {{- end }}
    resources: { requests: { storage: {{ .Values.jobs.storage.size }} } }
{{- end -}}
