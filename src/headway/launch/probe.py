"""A pod of ``doctor``'s: a run of one step, started beside it, that tells what a step's pods would find."""

import json
import os
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

from headway.config.datastore import Choice
from headway.config.places import PREFIXES
from headway.config.podparts import plain
from headway.executors.kubernetes.findings import BAD, GOOD, POOR, Finding
from headway.launch.limited import Ended, run_limited

#: Seconds that a pod is given to start and to answer.
_PATIENCE = 180
#: Where in the datastore, so that no flow of its own shows among a person's.
_PLACE = ".doctor"
#: What a probe does not ask for: its own needs are small.
_SIZES = ("cpu", "memory", "disk", "gpu", "shared_memory", "qos", "resources", "extended_resources")

#: What is started as ``python -c``; runs in the pod as a flow of one step.
_FLOW = """
import platform
from headway import FlowSpec, step

class DoctorFlow(FlowSpec):
    @step
    def look(self):
        print("PROBE", platform.python_version(), platform.machine(), platform.libc_ver()[0] or "musl")

DoctorFlow()
"""
_ANSWER = re.compile(r"PROBE (\S+) (\S+) (\S+)")
#: What its launcher says of the run, and once the pod's container has begun.
_RUN = re.compile(r"^Run (\w+) of DoctorFlow", re.MULTILINE)
_RUNS = "Running on Kubernetes pod"


def alike(said: Mapping[str, object], image: str) -> str:
    """What a step says of its pods as a ``--with``, its sizes made small.

    Args:
        said: The attributes of its ``@kubernetes``, and what overrides them.
        image: The step's image, as it was resolved.
    """
    return _spec({"cpu": 0.1, "memory": 128, "disk": 100, **_but_sizes(said), "image": image})


def beneath(said: Mapping[str, object]) -> str:
    """What fills in what a step leaves open, likewise; "" where nothing of it is left."""
    kept = _but_sizes(said)
    return _spec(kept) if kept else ""


def _but_sizes(said: Mapping[str, object]) -> dict[str, object]:
    written: dict[str, object] = {}
    for key, value in said.items():
        # ZenML's grouping of the same settings.
        written.update(value if key == "pod_settings" and isinstance(value, Mapping) else {key: value})
    return {key: value for key, value in written.items() if key not in _SIZES and value is not None}


def _spec(said: Mapping[str, object]) -> str:
    pairs = [f"{key}={json.dumps(plain(value), default=_as_json)}" for key, value in said.items()]
    return "kubernetes:" + ",".join(pairs)


def _as_json(value: object) -> object:
    """What JSON has no word for, as the settings' parsers also take it: sets as lists, decimals as text."""
    return sorted(value, key=str) if isinstance(value, (set, frozenset)) else str(value)


@dataclass(frozen=True)
class Probe:
    """One pod to try.

    Attributes:
        which: What it stands for, as the beginning of a sentence.
        specs: Each ``--with`` of it.
        image: Its image, for words.
        choice: The datastore.
        forward_credentials: Whether it is lent credentials, as the run's pods would be.
        profile: The named configuration, None without one.
    """

    which: str
    specs: tuple[str, ...]
    image: str
    choice: Choice
    forward_credentials: bool = False
    profile: str | None = None

    @property
    def arguments(self) -> list[str]:
        """What stands on its command line behind the flow."""
        return [*self._options, "run", *(["--forward-credentials"] if self.forward_credentials else [])]

    @property
    def _options(self) -> list[str]:
        return [
            f"--datastore={self.choice.kind}",
            f"--datastore-root={self.choice.url.rstrip('/')}/{_PLACE}",
            *([f"--config-name={self.profile}"] if self.profile else []),
            *(word for spec in self.specs for word in ("--with", spec)),
        ]

    def run(self) -> Finding:
        """Start it and wait for its answer, three minutes at most."""
        begun = time.monotonic()
        ended = run_limited([sys.executable, "-c", _FLOW, *self.arguments], _PATIENCE, _environment())
        answer = _ANSWER.search(ended.stdout)
        if ended.code is None:
            return self._too_late(ended)
        if ended.code == 0 and answer:
            python, machine, libc = answer.groups()
            return Finding(
                GOOD,
                f"{self.which} ran: Python {python} on {machine} ({libc}) in {self.image}; it reached the "
                f"datastore, and its result came back {time.monotonic() - begun:.0f} seconds after the start.",
            )
        return Finding(BAD, f"{self.which} failed. {_last_words(ended.stderr)}", "")

    def _too_late(self, ended: Ended) -> Finding:
        words = _last_words(ended.stderr)
        if ended.killed:
            words = f"{words} {self._taken_away(ended.stderr)}".strip()
        if _RUNS in ended.stdout:
            return Finding(BAD, f"{self.which} ran, and gave no answer in {_PATIENCE} seconds. {words}")
        return Finding(
            POOR,
            f"{self.which} did not begin to run within {_PATIENCE} seconds, and is taken away again. {words}",
            "A run would wait on, as for room, a node or an image that is still on its way: what is wrong for good fails "
            "sooner. Ask again, or look at its pods while a run waits.",
        )

    def _taken_away(self, said: str) -> str:
        """Take away what a launcher left that had to be killed; words on what may be left all the same."""
        found = _RUN.search(said)
        if found is None:
            return ""
        kill = [sys.executable, "-c", _FLOW, *self._options, "kubernetes", "kill", "--run-id", found[1]]
        if run_limited(kill, _PATIENCE, _environment()).code == 0:
            return ""
        return f"Its Jobs may be there still: kubectl delete jobs --selector metaflow/run_id={found[1]} takes them away."


def _environment() -> dict[str, str]:
    """This process's, but for what overrides settings of steps that the probe does not have: its own are said."""
    overrides = {f"{prefix}{command}OVERRIDE" for prefix in PREFIXES for command in ("", "RUN_", "DOCTOR_")}
    kept = {name: value for name, value in os.environ.items() if name not in overrides}
    return {**kept, "NO_COLOR": "1"}


def _last_words(text: str) -> str:
    """What the probe's run said in the end, without what it says of every run."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [
        line for line in lines if not re.match(r"(Headway|Datastore:|Code:|Run \d+ of|No cluster)", line)
    ]
    return " ".join(re.sub(r"^\[look/\d+\] ", "", line) for line in telling[-4:])
