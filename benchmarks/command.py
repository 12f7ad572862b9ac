"""The command line that every benchmark has."""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from picture import draw
from place import Place
from report import lines, markdown, result_file, save
from rounds import do
from works import MINUTES, Work

Works = Callable[[Place], Sequence[Work]]


def main(name: str, about: str, makers: Sequence[Works]) -> int:
    """Do a benchmark's works, print the table, keep the raw figures and draw them.

    Args:
        name: The benchmark's name, part of the names of its files.
        about: What it measures, for ``--help``.
        makers: Make the works, once it is known where they run.

    Returns:
        The exit code: 1 where a target is missed or a work failed; in the quick mode only the latter.
    """
    parser = argparse.ArgumentParser(prog=f"dev.py bench {name}", description=about)
    parser.add_argument("--runs", type=int, help="rounds of every work, instead of its own number")
    parser.add_argument(
        "--quick", action="store_true", help="one small round of Headway alone: does it still work"
    )
    parser.add_argument("--only", nargs="+", metavar="WORK", help="works that are called, or begin, so")
    parser.add_argument(
        "--budget",
        type=float,
        metavar="MINUTES",
        help="begin no round that would end later; what takes long is told by --list",
    )
    parser.add_argument(
        "--out", type=Path, help="the file for raw figures; by default a new one in benchmarks/results"
    )
    parser.add_argument(
        "--list", action="store_true", help="name the works, say how long each takes, and end"
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # cleans up as for Ctrl-C
    with Place(quick=options.quick) as place:
        works = [work for maker in makers for work in maker(place)]
        if options.only:
            names = {work.name for work in works}
            chosen = [
                work
                for work in works
                # A whole name means that work alone, though another's begins with it.
                if any(
                    work.name == word if word in names else work.name.startswith(word)
                    for word in options.only
                )
            ]
            if not chosen:
                parser.error(f"no work is called so; there are {', '.join(work.name for work in works)}")
            works = chosen
        if options.list or not works:
            print(
                "\n".join(
                    f"{work.name}  ({', '.join(work.contenders)}; {work.rounds} rounds"
                    f"{f' and {work.warm_up} to warm up' if work.warm_up else ''}, "
                    f"about {MINUTES.get(work.name, 1):g} minutes each)"
                    for work in works
                )
            )
            return 0 if works else 2
        path = options.out or result_file(name)
        budget = options.budget * 60 if options.budget else None
        dones = do(works, options.runs, options.quick, budget, lambda sofar: save(path, sofar))
    table = lines(dones)
    if options.quick:
        ran = sum(bool(done.rounds) for done in dones)
        print(f"{ran} of {len(dones)} works ran; small and cold, their figures say nothing")
    else:
        print(markdown(table))
        print(f"picture: {draw(table, path.with_suffix('.svg'))}")
    print(f"raw figures: {path}")
    failed = [failure for done in dones for failure in done.failures]
    for failure in failed:
        print(f"FAILED  {failure}", file=sys.stderr)
    missed = [line for line in table if line.figures and not line.target.holds(line.median)]
    return 1 if failed or (missed and not options.quick) else 0
