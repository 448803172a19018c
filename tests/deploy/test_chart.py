"""The Helm chart as text: every profile, and what must hold whatever the values are."""

import re
import subprocess

import pytest
import yaml

from chart import (
    CHART,
    HELM,
    INVALID,
    NAMESPACE,
    PROFILES,
    RELEASE,
    VERSIONS,
    Manifests,
    helm_template,
    labels_of,
    need_helm,
    pod_of,
    selects,
    validate,
)
from harness import REPOSITORY, run


@pytest.fixture(scope="module")
def rendered():
    """Profile to its manifests, each rendered once."""
    made = {}

    def render(profile):
        if profile not in made:
            made[profile] = Manifests(profile)
        return made[profile]

    return render


@pytest.fixture(params=PROFILES)
def manifests(request, rendered):
    return rendered(request.param)


# ---- manifests ----


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("profile", PROFILES)
def test_every_manifest_of_every_profile_is_one_that_kubernetes_takes(profile, version):
    manifests = Manifests(profile, version=version)
    assert len(manifests.all) >= 6
    for manifest in manifests.all:
        validate(manifest, version)


@pytest.mark.parametrize(
    "kind, spoil",
    [
        ("Deployment", lambda item: item["spec"].update(replica=2)),
        ("Service", lambda item: item["spec"]["ports"][0].update(port="many")),
        ("ScaledObject", lambda item: item["spec"].update(minReplicas=2)),
        ("ServiceMonitor", lambda item: item["spec"]["endpoints"][0].update(every="15s")),
        ("NetworkPolicy", lambda item: item["spec"].update(podSelectors={})),
        ("PodDisruptionBudget", lambda item: item.update(kind="PodBudget")),
    ],
)
def test_a_mistake_in_a_manifest_would_be_found(kind, spoil):
    item = next(iter(Manifests("nats").of(kind).values()))
    spoil(item)
    with pytest.raises(INVALID):
        validate(item, VERSIONS[-1])


@pytest.mark.parametrize("profile", PROFILES)
def test_helm_itself_finds_nothing_to_complain_of(profile):
    need_helm()
    command = [HELM, "lint", "--strict", CHART, "--values", PROFILES[profile]]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "0 chart(s) failed" in done.stdout, done.stdout + done.stderr


def test_the_chart_is_of_the_programs_version():
    version = re.search(r"project\(llm_router VERSION (\S+)", (REPOSITORY / "CMakeLists.txt").read_text())[1]
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == version


# ---- refusals ----


def test_a_second_embedded_broker_is_refused_with_the_reason_and_the_way_out():
    done = helm_template("embedded", "gateway.replicas=2")
    assert done.returncode != 0
    assert "gateway.replicas is 2" in done.stderr
    assert "two brokers that know nothing of each other" in done.stderr
    assert "worker.replicas" in done.stderr and "broker.url=nats://" in done.stderr


REFUSALS = {
    "nothing said": (None, [], "keys.secret: name the Secret"),
    "no routes": (None, ["access=open"], "config.routes: name at least one"),
    "workers without a key": ("embedded", ["broker.keySecret.name="], "--access worker"),
    "open, with keys": ("embedded", ["access=open"], "keys.secret: access is open"),
    "a folder": ("embedded", ["broker.url=embedded:/data"], "leave it empty"),
    "a password in the URL": ("nats", [r"broker.url=nats://me:secret@nats:4222"], "does not belong into values"),
    "a provider's key": ("open", ["config.providers.local.key=sk-1"], "providerKeys.secret"),
    "listen": ("open", ["config.listen.grpc=1"], "config.listen: the chart sets it"),
    "a drain of its own": ("open", ["config.limits.drain_seconds=5"], "use longestQuery"),
    "TLS without a CA": ("tls", ["broker.tls.secret="], "workers must know its CA"),
    "fewer at most than at least": ("nats", ["autoscaling.maxReplicas=1"], "is more than autoscaling.maxReplicas"),
    "an unknown value": ("open", ["gatway.replicas=1"], "gatway"),
    "an unknown value inside": ("open", ["worker.replica=1"], "replica"),
    "no workers": ("open", ["worker.replicas=0"], "worker.replicas"),
    "two jobs services": ("nats", ["jobs.replicas=2"], "jobs"),
    "a share above all": ("nats", ["autoscaling.inFlightShare=1.5"], "inFlightShare"),
    "no time at all": ("open", ["longestQuery=0"], "longestQuery"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_can_not_work_is_refused(name):
    profile, sets, needle = REFUSALS[name]
    done = helm_template(profile, *sets)
    assert done.returncode != 0 and done.stdout == ""
    assert needle in done.stderr


# ---- workloads ----


def test_the_embedded_broker_is_one_stateful_gateway_with_the_jobs_service_and_workers_beside_it(rendered):
    workloads = rendered("embedded").workloads()
    assert sorted(workloads) == ["gateway", "worker"]
    gateway, worker = workloads["gateway"], workloads["worker"]
    assert (gateway["kind"], gateway["spec"]["replicas"]) == ("StatefulSet", 1)
    assert (worker["kind"], worker["spec"]["replicas"]) == ("Deployment", 3)
    assert roles(gateway) == "gateway,jobs" and roles(worker) == "worker"
    assert variables(worker)["LLM_ROUTER_BROKER_URL"] == f"kubemq://{RELEASE}:50000"


def test_over_nats_there_are_gateways_workers_and_one_jobs_service(rendered):
    workloads = rendered("nats").workloads()
    assert {name: roles(workload) for name, workload in workloads.items()} == {
        "gateway": "gateway",
        "jobs": "jobs",
        "worker": "worker",
    }
    assert (workloads["jobs"]["kind"], workloads["jobs"]["spec"]["replicas"]) == ("StatefulSet", 1)
    assert workloads["gateway"]["spec"]["replicas"] == 2
    for workload in workloads.values():
        assert variables(workload)["LLM_ROUTER_BROKER_URL"] == "nats://nats:4222"


def roles(workload):
    arguments = pod_of(workload)["containers"][0]["args"]
    return arguments[arguments.index("--roles") + 1]


def variables(workload):
    return {entry["name"]: entry.get("value") for entry in pod_of(workload)["containers"][0]["env"]}


def test_only_what_keeps_something_has_a_volume(manifests):
    for name, workload in manifests.workloads().items():
        mounts = {mount["name"] for mount in pod_of(workload)["containers"][0]["volumeMounts"]}
        claims = [claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])]
        assert ("data" in mounts) == (claims == ["data"]) == (workload["kind"] == "StatefulSet"), name


def test_a_pod_may_finish_its_longest_query(manifests):
    for workload in manifests.workloads().values():
        assert pod_of(workload)["terminationGracePeriodSeconds"] == 630
    assert manifests.config()["limits"]["drain_seconds"] == 600
    longer = Manifests("open", "longestQuery=3600")
    for workload in longer.workloads().values():
        assert pod_of(workload)["terminationGracePeriodSeconds"] == 3630
    assert longer.config()["limits"]["drain_seconds"] == 3600


def test_probes_ask_health_and_readiness_at_the_admin_port(manifests):
    for container in manifests.containers().values():
        asked = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
        assert {kind: probe["path"] for kind, probe in asked.items()} == {
            "startup": "/health",
            "liveness": "/health",
            "readiness": "/ready",
        }
        scheme = "HTTPS" if "tls" in manifests.config()["listen"] else "HTTP"
        assert all((probe["port"], probe["scheme"]) == ("admin", scheme) for probe in asked.values())


def test_pods_have_no_rights_that_they_do_not_need(manifests):
    for workload in manifests.workloads().values():
        pod = pod_of(workload)
        assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False and pod["enableServiceLinks"] is False
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"]
            assert context["capabilities"] == {"drop": ["ALL"]}


def test_secrets_are_named_never_written(manifests):
    assert manifests.of("Secret") == {}
    for name, container in manifests.containers().items():
        for entry in container["env"]:
            is_file = entry.get("value", "").startswith("/run/secrets/")
            assert not entry["name"].endswith("_KEY") or "valueFrom" in entry or is_file
        assert "envFrom" not in container or name == "worker"  # providers' keys are for workers alone


def test_what_a_broker_elsewhere_asks_for_is_given_to_all_who_connect_to_it(tmp_path):
    password = {"name": "LLM_ROUTER_BROKER_KEY", "valueFrom": {"secretKeyRef": {"name": "nats", "key": "token"}}}
    values = {"broker": {"env": [password]}}
    for container in Manifests("nats", values=values, folder=tmp_path).containers().values():
        assert password in container["env"]
    containers = Manifests("embedded", values=values, folder=tmp_path).containers()
    assert password not in containers["gateway"]["env"] and password in containers["worker"]["env"]


def test_pods_of_a_kind_spread_over_zones_and_nodes(manifests):
    for workload in manifests.workloads().values():
        spread = pod_of(workload)["topologySpreadConstraints"]
        keys = [constraint["topologyKey"] for constraint in spread]
        assert keys == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
        for constraint in spread:
            assert selects(constraint["labelSelector"]["matchLabels"], labels_of(workload))


# ---- what is around them ----


def test_services_reach_ports_that_their_pods_have(manifests):
    for service in manifests.of("Service").values():
        served = [w for w in manifests.workloads().values() if selects(service["spec"]["selector"], labels_of(w))]
        assert served
        for workload in served:
            ports = {port["name"]: port["containerPort"] for port in pod_of(workload)["containers"][0]["ports"]}
            for port in service["spec"]["ports"]:
                assert ports[port["targetPort"]] == port["port"]


def test_ports_are_those_of_the_configuration(manifests):
    listen = manifests.config()["listen"]
    for container in manifests.containers().values():
        for port in container["ports"]:
            assert port["containerPort"] == listen[port["name"]]


def test_callers_reach_gateways_only_and_watchers_all(manifests):
    services = manifests.of("Service")
    workloads = manifests.workloads()

    def reached(name):
        selector = services[name]["spec"]["selector"]
        return sorted(part for part, workload in workloads.items() if selects(selector, labels_of(workload)))

    assert reached(RELEASE) == ["gateway"]
    assert reached(f"{RELEASE}-admin") == sorted(workloads)


def test_a_disruption_takes_one_at_a_time_and_never_blocks_a_node(rendered):
    assert sorted(rendered("nats").of("PodDisruptionBudget")) == ["llm-router-gateway", "llm-router-worker"]
    # One gateway with a budget could never be moved.
    assert sorted(rendered("embedded").of("PodDisruptionBudget")) == ["llm-router-worker"]
    for budget in rendered("nats").of("PodDisruptionBudget").values():
        assert budget["spec"]["maxUnavailable"] == 1


def allowed(policy, direction):
    """The ports of its rules, and whether only some peers are meant."""
    peers = {"ingress": "from", "egress": "to"}[direction]
    return [([port["port"] for port in rule["ports"]], peers in rule) for rule in policy["spec"][direction]]


def test_the_network_policy_lets_through_what_is_needed_and_no_more(rendered):
    nats = rendered("nats").of("NetworkPolicy")
    assert allowed(nats["llm-router-gateway"], "ingress") == [(["admin"], True), (["http", "grpc", "rest"], False)]
    assert allowed(nats["llm-router-gateway"], "egress") == [([53, 53], False), ([4222], False)]
    assert allowed(nats["llm-router-worker"], "ingress") == [(["admin"], True)]
    assert allowed(nats["llm-router-worker"], "egress") == [([53, 53], False), ([4222], False), ([443], False)]
    assert allowed(nats["llm-router-jobs"], "ingress") == [(["admin"], True)]
    embedded = rendered("tls").of("NetworkPolicy")
    assert sorted(embedded) == ["llm-router-gateway", "llm-router-worker"]
    assert (["grpc"], True) in allowed(embedded["llm-router-gateway"], "ingress")
    assert (["grpc"], True) in allowed(embedded["llm-router-worker"], "egress")
    for manifests in (rendered("nats"), rendered("tls")):
        for name, policy in manifests.of("NetworkPolicy").items():
            workload = manifests.workloads()[name.removeprefix("llm-router-")]
            assert selects(policy["spec"]["podSelector"]["matchLabels"], labels_of(workload))


def test_callers_can_be_narrowed_down(tmp_path):
    peers = [{"podSelector": {"matchLabels": {"app": "shop"}}}]
    policy = Manifests("tls", values={"networkPolicy": {"callers": peers}}, folder=tmp_path).of("NetworkPolicy")
    rules = policy["llm-router-gateway"]["spec"]["ingress"]
    assert next(rule for rule in rules if {"port": "http"} in rule["ports"])["from"] == peers
    # The workers still come in.
    assert any(rule["ports"] == [{"port": "grpc"}] for rule in rules)


def test_prometheus_reads_the_admin_port_with_a_key_of_its_own(rendered):
    for profile, scheme in (("nats", "http"), ("tls", "https")):
        manifests = rendered(profile)
        monitor = manifests.one("ServiceMonitor", RELEASE)["spec"]
        service = manifests.one("Service", f"{RELEASE}-admin")
        assert selects(monitor["selector"]["matchLabels"], service["metadata"]["labels"])
        other = manifests.one("Service", RELEASE)
        assert not selects(monitor["selector"]["matchLabels"], other["metadata"]["labels"])
        endpoint = monitor["endpoints"][0]
        assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
        assert endpoint["authorization"]["credentials"] == {"name": "llm-router-monitor", "key": "key"}
        assert endpoint.get("scheme", "http") == scheme


# ---- autoscaling ----


def test_keda_scales_workers_by_what_runs_and_what_waits_on_every_route(rendered):
    manifests = rendered("nats")
    scaler = manifests.one("ScaledObject", "llm-router-worker")["spec"]
    worker = manifests.one("Deployment", scaler["scaleTargetRef"]["name"])
    assert "replicas" not in worker["spec"]  # an upgrade must not undo the scaler's work
    assert (scaler["minReplicaCount"], scaler["maxReplicaCount"]) == (2, 20)
    thresholds = {trigger["name"]: trigger["metadata"]["threshold"] for trigger in scaler["triggers"]}
    assert thresholds == {
        "openai-in-flight": "179",  # 0.7 of 256
        "openai-backlog": "500",
        "claude-in-flight": "89",  # 0.7 of 128
        "claude-backlog": "500",
    }
    scope = f'namespace="{NAMESPACE}",service="{RELEASE}-admin"'
    queries = {trigger["name"]: trigger["metadata"]["query"] for trigger in scaler["triggers"]}
    assert queries["claude-in-flight"] == f'sum(llm_router_queries_in_flight{{{scope},route="claude"}})'
    assert queries["claude-backlog"] == f'sum(llm_router_jobs{{{scope},route="claude",state=~"resting|fed"}})'


def test_without_keda_a_plain_autoscaler_does_it(rendered):
    scaler = rendered("tls").one("HorizontalPodAutoscaler", "llm-router-worker")["spec"]
    assert scaler["metrics"][0]["resource"]["target"]["averageUtilization"] == 70
    others = {entry["external"]["metric"]["name"]: entry["external"] for entry in scaler["metrics"][1:]}
    assert others["llm_router_queries_in_flight"]["target"]["averageValue"] == "44"  # 0.7 of 64
    assert others["llm_router_jobs"]["metric"]["selector"]["matchExpressions"][0]["values"] == ["resting", "fed"]
    plain = Manifests("tls", "autoscaling.hpa.customMetrics=false").one("HorizontalPodAutoscaler", "llm-router-worker")
    assert len(plain["spec"]["metrics"]) == 1


def test_routes_with_any_name_have_triggers_with_names_of_their_own():
    sets = [r"config.routes.a\.b_C.targets[0].provider=openai", r"config.routes.a\.b_C.concurrency=1"]
    scaler = Manifests("nats", *sets).one("ScaledObject", "llm-router-worker")["spec"]
    names = [trigger["name"] for trigger in scaler["triggers"]]
    assert len(names) == len(set(names)) == 6 and "a-b-c-in-flight" in names
    one = next(trigger for trigger in scaler["triggers"] if trigger["name"] == "a-b-c-in-flight")
    assert one["metadata"]["threshold"] == "1" and 'route="a.b_C"' in one["metadata"]["query"]


# ---- the configuration ----


@pytest.mark.parametrize("profile", PROFILES)
def test_the_program_takes_the_configuration(rendered, profile, tmp_path):
    config = rendered(profile).config()
    files = {"/run/secrets/llm-router/keys/keys.yaml": "[]\n"}
    text = yaml.safe_dump(config)
    for path, content in files.items():
        (tmp_path / path.rsplit("/", 1)[1]).write_text(content)
        text = text.replace(path, str(tmp_path / path.rsplit("/", 1)[1]))
    config = yaml.safe_load(text)
    config["listen"].pop("tls", None)  # certificates: test_chart_runs
    (tmp_path / "llm-router.yaml").write_text(yaml.safe_dump(config))
    done = run("config", "check", tmp_path / "llm-router.yaml", folder=tmp_path)
    assert done.returncode == 0, done.stderr


def test_large_numbers_stay_numbers(rendered):
    assert rendered("tls").config()["limits"]["queue_bytes"] == 21474836480
