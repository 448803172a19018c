"""Pods of a rendered chart, run as processes: the command line, environment, files and probes are the chart's.

What Kubernetes would add is added here: mounts are folders below the pod's own, Secrets are given by the test, names of
Services are this machine's addresses, and as all pods share one machine each takes any free port.
"""

import math
import re
import ssl
import urllib.error
import urllib.request

from chart import NAMESPACE, RELEASE, labels_of, pod_of, selects
from harness import BINARY, READY, Process, eventually

ANY_PORT = {f"LLM_ROUTER_LISTEN_{door}": "0" for door in ("GRPC", "REST", "ADMIN", "HTTP")}


class Pod(Process):
    """One pod of a component, ready when its own probes have said so."""

    def __init__(self, name, folder, manifests, component, secrets, hosts=None, ca=None):
        self.workload = manifests.workloads()[component]
        self.container = pod_of(self.workload)["containers"][0]
        self.root = folder / name / "root"
        self._configs = {item["metadata"]["name"]: item["data"] for item in manifests.of("ConfigMap").values()}
        self._secrets = secrets
        self._hosts = hosts or {}  # HOST:PORT in the cluster -> here
        self._trust = ssl.create_default_context(cafile=ca) if ca else None
        self._mount()
        command = [self._here(word) for word in [*self.container["command"], *self.container["args"]]]
        assert command[0] == "llm-router"
        super().__init__(name, [BINARY, *command[1:]], folder / name, self._environment())
        match = self.wait_line(READY)
        doors = match["doors"].replace("=0.0.0.0:", "=127.0.0.1:")
        self.doors = dict(door.split("=", 1) for door in doors.split())
        for kind in ("startup", "readiness", "liveness"):
            assert eventually(lambda kind=kind: self.probe(kind), f"{name}: {kind} probe")

    def probe(self, kind):
        """Whether the kubelet would be content."""
        return self._get(self.container[f"{kind}Probe"]["httpGet"])[0] == 200

    def metrics(self, key=None):
        status, text = self._get({"path": "/metrics", "port": "admin"}, key)
        assert status == 200, text
        return text

    def written(self):
        """What it wrote that no mount holds."""
        return [str(path) for path in self.log.parent.iterdir() if path not in (self.root, self.log)]

    def _get(self, probe, key=None):
        port = next(port["containerPort"] for port in self.container["ports"] if port["name"] == probe["port"])
        door = {8080: "admin", 4000: "http", 9090: "rest"}[port]
        scheme = "https" if self._trust else "http"
        assert probe.get("scheme", scheme).lower() == scheme
        request = urllib.request.Request(f"{scheme}://{self.doors[door]}{probe['path']}")
        if key:
            request.add_header("authorization", f"Bearer {key}")
        try:
            with urllib.request.urlopen(request, timeout=10, context=self._trust) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def _mount(self):
        volumes = {volume["name"]: volume for volume in pod_of(self.workload).get("volumes", [])}
        claims = {item["metadata"]["name"] for item in self.workload["spec"].get("volumeClaimTemplates", [])}
        self.mounts = sorted((mount["mountPath"] for mount in self.container["volumeMounts"]), key=len, reverse=True)
        for mount in self.container["volumeMounts"]:
            at = self.root / mount["mountPath"].lstrip("/")
            at.mkdir(parents=True, exist_ok=True)
            volume = volumes.get(mount["name"], {})
            files = {}
            if "configMap" in volume:
                files = self._configs[volume["configMap"]["name"]]
            elif "secret" in volume:
                files = self._secrets[volume["secret"]["secretName"]]
            else:
                assert "emptyDir" in volume or mount["name"] in claims, mount
            for name, text in files.items():
                (at / name).write_text(self._here(text))

    def _here(self, text):
        """Paths of mounts and names of Services, as they are on this machine."""
        places = {mount: f"{self.root}{mount}" for mount in self.mounts if mount != "/tmp"} | self._hosts
        if not places:
            return text
        return re.sub("|".join(re.escape(place) for place in places), lambda found: places[found[0]], text)

    def _environment(self):
        environment = {"TMPDIR": f"{self.root}/tmp", **ANY_PORT}
        for source in self.container.get("envFrom", []):
            environment |= self._secrets[source["secretRef"]["name"]]
        for entry in self.container.get("env", []):
            if "valueFrom" in entry:
                item = entry["valueFrom"]["secretKeyRef"]
                environment[entry["name"]] = self._secrets[item["name"]][item["key"]]
            else:
                environment[entry["name"]] = self._here(entry["value"])
        return environment


QUERY = re.compile(r"^sum\((\w+)\{(.*)\}\)$")
MATCHER = re.compile(r'(\w+)(=~|=)"([^"]*)"')
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.M)


def evaluate(query, manifests, pods, key):
    """`sum(metric{...})` over the pods, as Prometheus has it after the ServiceMonitor's Service was scraped."""
    metric, matchers = QUERY.match(query).groups()
    service = manifests.one("Service", f"{RELEASE}-admin")
    total = 0.0
    for pod in pods:
        assert selects(service["spec"]["selector"], labels_of(pod.workload))
        added = {"namespace": NAMESPACE, "service": service["metadata"]["name"]}
        for name, text, value in SAMPLE.findall(pod.metrics(key)):
            labels = added | dict(re.findall(r'(\w+)="([^"]*)"', text))
            if name == metric and all(fits(labels, *matcher) for matcher in MATCHER.findall(matchers)):
                total += float(value)
    return total


def fits(labels, name, how, wanted):
    found = labels.get(name, "")
    return found == wanted if how == "=" else re.fullmatch(wanted, found) is not None


def wanted_workers(scaler, manifests, pods, key):
    """How many the autoscaler would run: the most that any of its triggers asks for, within its bounds."""
    asked = [trigger["metadata"] for trigger in scaler["triggers"]]
    wanted = [math.ceil(evaluate(one["query"], manifests, pods, key) / float(one["threshold"])) for one in asked]
    return min(max([scaler["minReplicaCount"], *wanted]), scaler["maxReplicaCount"])
