"""Steps on this machine: Headway beside Metaflow from PyPI, whole processes, the same flow files.

python3 dev.py bench local [--runs N] [--quick] [--only WORK …] [--budget MINUTES]

Metaflow's foreach of 1,200 is run once and kept in ``.dev/bench`` with the time that it took, for the client's
benchmark, too; to run it anew, delete that folder.
"""

import sys
from collections.abc import Callable

from command import main
from flows import FOREACH, LINEAR, SENT
from kept import kept_run
from place import Place
from works import Measures, Round, Target, Work, measure, ratio

#: Tasks of a foreach besides those of its items: start, join, end.
_OTHERS = 3
#: Metaflow with as many workers as there are items.
_AT_ONCE = "metaflow, all at once"


def works(place: Place) -> list[Work]:
    """Everything that this page measures."""

    def each(
        file: str, text: str, *words: str, limit: float = 600.0, alone: bool = False
    ) -> dict[str, Callable[[], Measures]]:
        def of(module: str) -> Callable[[], Measures]:
            return lambda: place.run(module, file, text, words, limit=limit).measures

        return {module: of(module) for module in (("headway",) if alone else place.modules)}

    def at_once(width: int) -> Measures:
        words = ("run", "--width", str(width), "--max-workers", str(width))
        return place.run("metaflow", "foreach.py", FOREACH, words).measures

    def python() -> Measures:
        return place.run("headway", "nothing.py", "", ()).measures

    medium, wide = (10, 20) if place.quick else (100, 1200)
    return [
        Work(
            "local linear",
            each("linear.py", LINEAR, "run"),
            (
                Target(
                    "linear, 4 steps local, whole process: Metaflow's time by ours",
                    ratio("metaflow", "headway"),
                    7,
                    at_least=True,
                ),
            ),
        ),
        Work(
            "local foreach-100",
            {
                **each("foreach.py", FOREACH, "run", "--width", str(medium)),
                **({} if place.quick else {_AT_ONCE: lambda: at_once(medium)}),
            },
            (
                Target(
                    "foreach 100 local: Metaflow's time by ours",
                    _by_the_better,
                    25,
                    at_least=True,
                ),
                Target(
                    "foreach 100 local: processor time a task",
                    measure("headway", "cpu", 1000 / (medium + _OTHERS)),
                    30,
                    unit="ms",
                ),
            ),
            note="by the better one of Metaflow with its own 16 workers and with 100",
        ),
        Work(
            "local foreach-1200",
            {
                **each("foreach.py", FOREACH, "run", "--width", str(wide), "--max-num-splits", str(wide)),
                # Half an hour and more of the same: made once, and kept with the time that it took.
                **(
                    {}
                    if place.quick
                    else {"metaflow": lambda: kept_run(place, "metaflow", wide, False).measures}
                ),
            },
            (
                Target(
                    "foreach 1,200 local: Metaflow's time by ours",
                    ratio("metaflow", "headway"),
                    20,
                    at_least=True,
                ),
            ),
            warm_up=0,
            note="every round against one run of Metaflow's, which takes many minutes: made once and kept",
        ),
        *(
            Work(
                f"local {word.strip('-')}{of and f' {of}'}",
                # Metaflow shows a flow with @kubernetes only where a datastore in a cloud is set.
                {"python": python, **each("linear.py", SENT if of else LINEAR, word, alone=bool(of))},
                (
                    Target(
                        f"`{word}`{of and f' with {of}'} by `python -c pass`", ratio("headway", "python"), 4
                    ),
                    *(
                        ()
                        if of
                        else (Target(f"`{word}`: Metaflow's time by ours", ratio("metaflow", "headway")),)
                    ),
                ),
                rounds=11,
            )
            for word in ("show", "--help")
            for of in ("", "@kubernetes")
        ),
    ]


def _by_the_better(measured: Round) -> float:
    """Metaflow's time by ours, with as many workers as serve it better."""
    return min(measured[name]["seconds"] for name in ("metaflow", _AT_ONCE)) / measured["headway"]["seconds"]


if __name__ == "__main__":
    sys.exit(main("local", __doc__.splitlines()[0], [works]))
