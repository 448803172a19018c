"""What Prometheus reads of running processes."""

import re

SAMPLE = re.compile(r"^(?P<name>[a-z_]+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Exported:
    """The metrics of servers, read: samples as (name, labels, value), and families with their kinds."""

    def __init__(self, *servers):
        self.samples = []
        self.kinds = {}
        for server in dict.fromkeys(servers):
            for line in server.admin("/metrics").splitlines():
                if line.startswith("# TYPE "):
                    name, kind = line.split()[2:4]
                    self.kinds[name] = kind
                elif match := SAMPLE.match(line):
                    labels = dict(LABEL.findall(match["labels"] or ""))
                    self.samples.append((match["name"], labels, float(match["value"])))

    def sum(self, name, **wanted):
        """Of all samples of that name with these labels; None as a value: without it."""
        return sum(
            value
            for sample, labels, value in self.samples
            if sample == name and all(labels.get(label) == value for label, value in wanted.items())
        )

    def names(self):
        """As expressions name them: of a histogram its three."""
        return {name for name, _, _ in self.samples} | set(self.kinds)

    def labels(self, family=None):
        of_family = {family, *(f"{family}_{part}" for part in ("bucket", "sum", "count"))}
        return {
            label
            for name, labels, _ in self.samples
            if family is None or name in of_family
            for label in labels
            if label != "le" or family is None
        }


def exported(cluster):
    """Of its gateway and all its workers."""
    return Exported(cluster.gateway, *cluster.workers)
