"""Where the time of one task goes, from a step's record to the next one's: what is Kubernetes' own, what is ours.

    python3 dev.py bench timeline [--runs N]

Needs what ``pods`` needs. A bare pod tells how long the node takes by itself, another one, with its account's token,
what mounting any volume adds; what ours take longer is ours. Times of the cluster are those at which a watch on this
machine heard of them, times of the task are by its node's clock: on a cluster of other machines, their clocks must
agree.
"""

import json
import re
import statistics
import sys
import time
from functools import partial
from itertools import pairwise
from typing import Any

from cluster import Listener, bare_output, sweep
from command import main
from floor import IMAGE
from flows import BARE_BEGAN, TIMELINE, TIMES
from place import Place
from pods import resources
from timing import BenchmarkError
from works import Measures, Round, Target, Work

from headway.executors.kubernetes.api.kinds import JOB, POD
from headway.executors.kubernetes.api.watch import WatchEvent
from headway.executors.kubernetes.api.watch_view import Added, Modified

_STEPS = ("start", "a", "b", "end")
_OURS, _THEIRS, _VOLUME = "ours", "Kubernetes", "any volume"

#: The phases in their order: (name, whose, from, to).
PHASES = (
    ("the record is stored, the launcher hears of it, decides and creates a Job", _OURS, "before", "job"),
    ("the Job's controller creates the pod", _THEIRS, "job", "pod"),
    ("the pod gets a node", _THEIRS, "pod", "scheduled"),
    ("the node starts the container of a pod that mounts nothing", _THEIRS, "scheduled", "bare"),
    ("and that of a pod that mounts a volume, as by default each does", _VOLUME, "bare", "volume"),
    ("and our pod's, more or less than that", _OURS, "volume", "container"),
    ("interpreter, runtime, code and flow are loaded, the step begins", _OURS, "container", "code"),
    ("the step's own code", "the step's", "code", "over"),
    ("artifacts and logs are stored", _OURS, "over", "record"),
)


def works(place: Place) -> list[Work]:
    """The one thing that this page measures."""
    work = Work(
        "timeline",
        {
            "bare": lambda: _bare(place, token=False),
            "volume": lambda: _bare(place, token=True),
            "headway": lambda: _tasks(place),
        },
        (
            *(Target(f"{whose}: {name}", partial(_phase, name), unit="ms") for name, whose, *_ in PHASES),
            Target("all that is ours", partial(_whose, (_OURS,)), 300, unit="ms"),
            Target(
                "all that is ours, with what any volume takes",
                partial(_whose, (_OURS, _VOLUME)),
                unit="ms",
            ),
            Target("all that is Kubernetes' own", partial(_whose, (_THEIRS,)), unit="ms"),
        ),
    )
    return [work.absent(place.lacks_cluster) if place.lacks_cluster else work]


def _phase(name: str, measured: Round) -> float:
    """A phase of the round, in ms: the mean of its tasks, and of its bare pods where that is what it takes."""
    ((begin, end),) = ((begin, end) for phase, _, begin, end in PHASES if phase == name)
    times = dict(measured["headway"])
    times |= {pod: times["scheduled"] + measured[pod]["node"] for pod in ("bare", "volume")}
    return (times[end] - times[begin]) * 1000


def _whose(whose: tuple[str, ...], measured: Round) -> float:
    """The sum of all that is someone's, in ms."""
    return sum(_phase(name, measured) for name, owner, *_ in PHASES if owner in whose)


class _Heard(Listener):
    """When a watch heard that Jobs and pods were created and that pods had a node.

    Attributes:
        times: By kind/name, what happened when.
        jobs: The Job of each pod that has one.
    """

    def __init__(self, namespace: str) -> None:
        super().__init__(namespace, (JOB, POD), self._note)
        self.times: dict[str, dict[str, float]] = {}
        self.jobs: dict[str, str] = {}

    def __enter__(self) -> "_Heard":
        super().__enter__()
        return self

    def _note(self, kind: str, event: WatchEvent[Any]) -> None:
        now = time.time()
        if not isinstance(event, Added | Modified):
            return
        metadata = event.object.metadata
        times = self.times.setdefault(f"{kind}/{metadata.name}", {})
        times.setdefault("created", now)
        if kind == "Pod":
            for owner in metadata.owner_references:
                self.jobs[metadata.name] = owner.name
            if event.object.spec.node_name:
                times.setdefault("scheduled", now)


def _bare(place: Place, token: bool) -> Measures:
    """From a bare pod's node to its container's start, the mean of as many as a round has tasks.

    Args:
        place: Where.
        token: Whether it mounts its account's token, as a pod does by default, or nothing.
    """
    taken = []
    for _ in _STEPS[1:]:
        with _Heard(place.namespace) as heard:
            printed = bare_output(BARE_BEGAN, place.namespace, token)
        (times,) = (times for name, times in heard.times.items() if name.startswith("Pod/"))
        taken.append(float(printed.split()[-1]) - times["scheduled"])
    sweep(place.namespace)
    return {"node": statistics.mean(taken)}


def _tasks(place: Place) -> Measures:
    """When things happened to a run's later tasks, counted from the record before; the mean of the three."""
    command = ("run", "--with", f"{resources(1)},image={IMAGE}")
    with _Heard(place.namespace) as heard:
        ran = place.run("headway", "timeline.py", TIMELINE, command, place.in_pods("headway"))
    said = place.run("headway", "times.py", TIMES, (), place.on_s3("headway")).stdout
    sweep(place.namespace)
    tasks: dict[str, dict[str, float]] = json.loads(said.splitlines()[-1])
    pods = dict(re.findall(r"\[(\w+)/\d+\] Running on Kubernetes pod: (\S+)", ran.stdout))
    found: dict[str, list[float]] = {}
    for before, step in pairwise(_STEPS):
        begun = tasks[before]["record"]
        try:
            pod = pods[step]
            times = {
                "before": begun,
                "job": heard.times[f"Job/{heard.jobs[pod]}"]["created"],
                "pod": heard.times[f"Pod/{pod}"]["created"],
                "scheduled": heard.times[f"Pod/{pod}"]["scheduled"],
                **tasks[step],
            }
        except KeyError as error:
            raise BenchmarkError(f"nothing was heard of {error} of step {step}") from error
        for name, at in times.items():
            found.setdefault(name, []).append(at - begun)
    return {name: statistics.mean(values) for name, values in found.items()}


if __name__ == "__main__":
    sys.exit(main("timeline", __doc__.splitlines()[0], [works]))
