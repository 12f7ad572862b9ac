"""Does works round by round, all of them once before any of them again, so that drift is fair and an early end useful."""

import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence

from timing import BenchmarkError
from works import Done, Measures, Work

#: A work that failed so often is left alone.
_PATIENCE = 2


def do(
    works: Sequence[Work],
    runs: int | None,
    quick: bool,
    budget: float | None,
    after: Callable[[Sequence[Done]], None] = lambda _: None,
) -> list[Done]:
    """Do the works.

    Args:
        works: In the order in which they are done.
        runs: Rounds of each instead of its own number.
        quick: One round without warming up.
        budget: Seconds after which no round is begun that would not end in time; None for no limit.
        after: Told of all there is after each round of each work, so that nothing is lost.
    """
    end = time.monotonic() + budget if budget is not None else float("inf")
    dones = [Done(work) for work in works]
    counts = {work.name: 1 if quick else runs or work.rounds for work in works}
    warm = {work.name: 0 if quick else work.warm_up for work in works}
    for number in range(max(counts.values(), default=0)):
        for done in dones:
            name = done.work.name
            if number >= counts[name] or len(done.failures) >= _PATIENCE:
                continue
            if done.seconds and time.monotonic() + statistics.median(done.seconds) > end:
                continue
            if time.monotonic() > end:
                continue
            for counted in [False] * (warm[name] if number == 0 else 0) + [True]:
                print(
                    f"{name}, {f'round {number + 1} of {counts[name]}' if counted else 'warming up'}",
                    file=sys.stderr,
                )
                _round(done, counted)
            after(dones)
    return dones


def _round(done: Done, counted: bool) -> None:
    load, begun = os.getloadavg()[0], time.monotonic()
    measured: dict[str, Measures] = {}
    try:
        for name, contender in done.work.contenders.items():
            measured[name] = contender()
            print(f"  {name}: {_told(measured[name])}", file=sys.stderr)
    except BenchmarkError as error:
        print(f"  FAILED {error}", file=sys.stderr)
        done.failures.append(str(error))
        return
    done.seconds.append(time.monotonic() - begun)
    if counted:
        done.rounds.append(measured)
        done.loads.append(load)


def _told(measures: Measures) -> str:
    parts = []
    for name, value in measures.items():
        if name == "peak" or name.endswith("memory"):
            parts.append(f"{name} {value / 1e6:.0f} MB")
        else:
            parts.append(f"{name} {value:.3g}")
    return ", ".join(parts)
