"""Renders and runs flows for cases: those of one shape and group share a flow, several flows run at a time."""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

from matrix.cases import Case
from matrix.feature import Feature
from matrix.ran import Place, Ran
from matrix.render import render


class Workshop:
    """Runs what cases need.

    Args:
        folder: For the flows, empty.
        place: Where they run.
        wanted: The cases to come, each with the modes that it is looked at in.
        at_a_time: Flows that run side by side.
    """

    def __init__(
        self,
        folder: Path,
        place: Place,
        wanted: Iterable[tuple[Case, str]],
        at_a_time: int = 0,
    ) -> None:
        self._folder = folder
        self._place = place
        self._pool = ThreadPoolExecutor(at_a_time or os.cpu_count() or 1)
        # Behind what all the others wait for, nobody would learn for long what is wrong with the first.
        self._aside = ThreadPoolExecutor(1)
        self._ran: dict[tuple[str, ...], Ran] = {}
        groups: dict[tuple[str, str], dict[str, Case]] = {}
        modes: dict[tuple[str, str], set[str]] = {}
        for case, mode in wanted:
            groups.setdefault(case.group, {})[case.id] = case
            modes.setdefault(case.group, set()).add(mode)
        self._groups = {group: list(cases.values()) for group, cases in groups.items()}
        for group, cases in self._groups.items():
            self._ran[group] = self._made(cases, group[1], self._pool)
            self._ran[group].begin(frozenset(modes[group]))

    def check(self, case: Case, mode: str) -> None:
        """Judge a case.

        If the flow that it shares with others failed, the case gets one of its own: so what is broken
        shows in its own cases, and not in their neighbours'.

        Raises:
            AssertionError: What the flow did is not what the feature says.
        """
        ran = self._ran[case.group]
        if len(ran.features) > 1 and ran.went_well(mode):
            ran = self._alone(case)
        wrong = ran.went_well(mode)
        assert not wrong, f"{case.id}: {wrong}\n{shown(case.shape.name, ran)}"
        judge(ran, case.feature, mode)

    def close(self) -> None:
        """Wait for what still runs; what has not begun never does."""
        for pool in (self._pool, self._aside):
            pool.shutdown(wait=True, cancel_futures=True)

    def _alone(self, case: Case) -> Ran:
        key = (*case.group, case.feature.name)
        if key not in self._ran:
            self._ran[key] = self._made([case], case.feature.name, self._aside)
        return self._ran[key]

    def _made(self, cases: Sequence[Case], label: str, pool: Executor) -> Ran:
        shape = cases[0].shape
        features = [case.feature for case in cases]
        return Ran(shape, features, label, self._folder / f"{shape.name}-{label}", self._place, pool)


def judge(ran: Ran, feature: Feature, mode: str) -> None:
    """Compare what a flow did with what a feature says of it.

    Raises:
        AssertionError: They differ.
    """
    seen = ran.seen(mode)
    for key, task in ran.shape.tasks.items():
        there = seen.tasks.get(key)
        expected = feature.expect(task, ran.shape)
        if there is None:
            assert not expected, f"{key} is not there, seen by {mode}: {sorted(seen.tasks)}"
            continue
        for name, value in expected.items():
            assert name in there.values, f"{there.pathspec} has no {name}, seen by {mode}"
            found = there.values[name]
            assert found == value, f"{there.pathspec}: {name} is {found!r}, not {value!r}, seen by {mode}"
        extra = [name for name in feature.absent(task, ran.shape) if name in there.values]
        assert not extra, f"{there.pathspec} has {extra}, seen by {mode}"
    feature.check(seen)
    {"client": feature.check_client, "commands": feature.check_commands, "resume": feature.check_resume}[
        mode
    ](ran)


def render_alone(case: Case) -> str:
    """The flow of a case that shares it with no other."""
    return render(case.shape, [case.feature], case.feature.name)


def shown(title: str, ran: Ran) -> str:
    """A flow's source, for reading."""
    return f"--- {title}\n{render(ran.shape, ran.features, ran.label)}---"
