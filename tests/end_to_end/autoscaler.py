"""How many workers the Helm chart asks for: its figures and its defaults, read from the chart, over what processes
export."""

import math
import re

from harness import REPOSITORY

CHART = REPOSITORY / "deploy" / "helm" / "llm-router"
FIGURE = re.compile(r"^- name:.*\n(?:  .*\n)*", re.M)
# What the template computes, in Python: a formula that changes there is not found here.
PER_WORKER = {
    "{{ max 1 (floor (mulf $concurrency $scaling.inFlightShare)) }}": lambda concurrency, values: max(
        1, math.floor(concurrency * values["inFlightShare"])
    ),
    "{{ $scaling.backlogPerWorker }}": lambda concurrency, values: values["backlogPerWorker"],
}


def read_field(figure, name):
    found = re.search(rf"^  {name}: (.*)$", figure, re.M)
    return found and found.group(1)


class Autoscaler:
    """Of one route with that concurrency."""

    def __init__(self, route, concurrency):
        self._route = route
        block = re.search(r"^autoscaling:\n((?:  .*\n)+)", (CHART / "values.yaml").read_text(), re.M).group(1)
        self.values = {name: float(value) for name, value in re.findall(r"^  (\w+): ([\d.]+)", block, re.M)}
        template = (CHART / "templates" / "_figures.tpl").read_text()
        self._figures = []  # (metric, labels to sum over, how much of it is a worker's share)
        for figure in FIGURE.findall(template):
            states = read_field(figure, "states")
            labels = [{"state": state} for state in states.strip("[]").split(", ")] if states else [{}]
            share = PER_WORKER[read_field(figure, "perWorker")](concurrency, self.values)
            self._figures.append((read_field(figure, "metric"), labels, share))
        assert len(self._figures) == 2

    def wanted(self, found):
        """As a HorizontalPodAutoscaler does with average values: the most that any figure asks for, within bounds."""
        wants = [self.values["minReplicas"]]
        for metric, labels, share in self._figures:
            wants.append(math.ceil(sum(found.sum(metric, route=self._route, **each) for each in labels) / share))
        return min(max(wants), self.values["maxReplicas"])
