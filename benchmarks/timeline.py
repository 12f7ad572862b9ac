"""Where the time of one task goes, from a step's record to the next one's: what is Kubernetes' own, what is ours.

    python3 dev.py bench timeline [--runs N]

Needs what ``pods`` needs. Times of the cluster are those at which a watch on this machine heard of
them, times of the task are by its node's clock: on a cluster of other machines, their clocks must agree.
"""

import json
import re
import sys
import time
from itertools import pairwise
from typing import Any

from cluster import Listener, sweep
from command import main
from floor import IMAGE
from flows import TIMELINE, TIMES
from place import Place
from pods import resources
from timing import BenchmarkError
from works import Measures, Target, Work, measure

from headway.executors.kubernetes.api.kinds import JOB, POD
from headway.executors.kubernetes.api.watch import WatchEvent
from headway.executors.kubernetes.api.watch_view import Added, Modified

_STEPS = ("start", "a", "b", "end")

#: The phases in their order: (name, whose, from, to).
PHASES = (
    ("the record is stored, the launcher hears of it, decides and creates a Job", "ours", "before", "job"),
    ("the Job's controller creates the pod", "Kubernetes", "job", "pod"),
    ("the pod gets a node", "Kubernetes", "pod", "scheduled"),
    ("the node starts the container", "Kubernetes", "scheduled", "container"),
    ("interpreter, runtime, code and flow are loaded, the step begins", "ours", "container", "code"),
    ("the step's own code", "the step's", "code", "over"),
    ("artifacts and logs are stored", "ours", "over", "record"),
)


def works(place: Place) -> list[Work]:
    """The one thing that this page measures; nothing where there is no cluster."""
    if not place.has_cluster:
        return []
    return [
        Work(
            "timeline",
            {"headway": lambda: _timeline(place)},
            (
                *(
                    Target(f"{whose}: {name}", measure("headway", name, 1000), unit="ms")
                    for name, whose, *_ in PHASES
                ),
                Target("all that is ours", measure("headway", "ours", 1000), 300, unit="ms"),
                Target("all that is Kubernetes' own", measure("headway", "Kubernetes", 1000), unit="ms"),
            ),
        )
    ]


def _timeline(place: Place) -> Measures:
    """The phases of a run's later tasks, the mean of the three."""
    heard: dict[str, dict[str, float]] = {}
    jobs: dict[str, str] = {}

    def hear(kind: str, event: WatchEvent[Any]) -> None:
        now = time.time()
        if not isinstance(event, Added | Modified):
            return
        name = event.object.metadata.name
        times = heard.setdefault(f"{kind}/{name}", {})
        times.setdefault("created", now)
        if kind == "Pod":
            jobs[name] = event.object.metadata.owner_references[0].name
            if event.object.spec.node_name:
                times.setdefault("scheduled", now)

    command = ("run", "--with", f"{resources(1)},image={IMAGE}")
    with Listener(place.namespace, (JOB, POD), hear):
        ran = place.run("headway", "timeline.py", TIMELINE, command, place.in_pods("headway"))
    said = place.run("headway", "times.py", TIMES, (), place.on_s3("headway")).stdout
    sweep(place.namespace)
    tasks: dict[str, dict[str, float]] = json.loads(said.splitlines()[-1])
    pods = dict(re.findall(r"\[(\w+)/\d+\] Running on Kubernetes pod: (\S+)", ran.stdout))
    phases: dict[str, list[float]] = {}
    for before, step in pairwise(_STEPS):
        times = dict(tasks[step], before=tasks[before]["record"])
        try:
            pod = pods[step]
            times["pod"] = heard[f"Pod/{pod}"]["created"]
            times["scheduled"] = heard[f"Pod/{pod}"]["scheduled"]
            times["job"] = heard[f"Job/{jobs[pod]}"]["created"]
        except KeyError as error:
            raise BenchmarkError(f"nothing was heard of {error} of step {step}") from error
        for name, whose, begin, end in PHASES:
            phases.setdefault(name, []).append(times[end] - times[begin])
            phases.setdefault(whose, []).append(times[end] - times[begin])
    # Of what is someone's, each task has several phases: their sum for one task.
    return {name: sum(values) / (len(_STEPS) - 1) for name, values in phases.items()}


if __name__ == "__main__":
    sys.exit(main("timeline", __doc__.splitlines()[0], [works]))
