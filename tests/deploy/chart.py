"""The Helm chart of deploy/: rendered by Helm itself, its manifests held against Kubernetes' own schemas."""

import json
import subprocess
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml

from harness import REPOSITORY, SDK

CHART = REPOSITORY / "deploy" / "helm" / "llm-router"
PROFILES = {path.stem: path for path in sorted((REPOSITORY / "deploy" / "helm" / "profiles").glob("*.yaml"))}
HELM = SDK / "helm" / "helm"
RELEASE = "llm-router"
NAMESPACE = "llm"
# The oldest Kubernetes that the chart says it runs on, and the newest that is known here.
VERSIONS = ("1.27", kubernetes_validate.latest_version())
CUSTOM = json.loads((Path(__file__).parent / "custom_resources.json").read_text())


# What `validate` raises.
INVALID = (jsonschema.ValidationError, kubernetes_validate.SchemaNotFoundError)


def need_helm():
    missing = SDK / "helm.missing"
    if missing.exists():
        pytest.skip(missing.read_text())
    assert HELM.exists(), f"{HELM} is missing: run the test deploy_environments"


def helm_template(profile, *sets, values=None, version=VERSIONS[-1], folder=None):
    """What `helm template` does with a profile (or None): a CompletedProcess. `values`: more of them, as a dict."""
    need_helm()
    command = [HELM, "template", RELEASE, CHART, "--namespace", NAMESPACE, "--kube-version", version]
    if profile is not None:
        command += ["--values", PROFILES[profile]]
    if values is not None:
        more = folder / "values.json"
        more.write_text(json.dumps(values))
        command += ["--values", more]
    for assignment in sets:
        command += ["--set", assignment]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120)


class Manifests:
    """A rendered chart."""

    def __init__(self, profile, *sets, **options):
        done = helm_template(profile, *sets, **options)
        assert done.returncode == 0, done.stderr
        self.all = [document for document in yaml.safe_load_all(done.stdout) if document]

    def of(self, kind):
        return {item["metadata"]["name"]: item for item in self.all if item["kind"] == kind}

    def one(self, kind, name):
        return self.of(kind)[name]

    def workloads(self):
        """Component (gateway, worker, jobs) to its Deployment or StatefulSet."""
        found = [*self.of("Deployment").values(), *self.of("StatefulSet").values()]
        return {item["metadata"]["labels"]["app.kubernetes.io/component"]: item for item in found}

    def containers(self):
        return {name: pod_of(workload)["containers"][0] for name, workload in self.workloads().items()}

    def config(self):
        return yaml.safe_load(self.one("ConfigMap", RELEASE)["data"]["llm-router.yaml"])


def pod_of(workload):
    return workload["spec"]["template"]["spec"]


def labels_of(workload):
    return workload["spec"]["template"]["metadata"]["labels"]


def selects(selector, labels):
    return selector.items() <= labels.items()


def validate(manifest, version):
    """Raises what is wrong with it. A kind that nobody knows is wrong, too."""
    schema = CUSTOM.get(f"{manifest['apiVersion']}/{manifest['kind']}")
    if schema is not None:
        jsonschema.Draft202012Validator(schema).validate(manifest)
    else:
        kubernetes_validate.validate(manifest, version, strict=True)
