"""The command line that every benchmark has."""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from origin import origin
from picture import draw
from place import Place
from report import content_of, lines, result_file, save, table
from rounds import do
from works import MINUTES, Done, Work

Works = Callable[[Place], Sequence[Work]]


def main(name: str, about: str, makers: Sequence[Works]) -> int:
    """Do a benchmark's works, print the table, keep the raw figures and draw them.

    Args:
        name: The benchmark's name, part of the names of its files.
        about: What it measures, for ``--help``.
        makers: Make the works, once it is known where they run.

    Returns:
        The exit code: 1 where a target is missed or was not measured, or a work failed; in the quick mode
        only the latter.
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
        if options.list:
            print("\n".join(map(_told, works)))
            return 0
        path = options.out or result_file(name)
        budget = options.budget * 60 if options.budget else None
        begun = origin(place)  # before anything is measured: the code may change while that lasts
        if begun["diff"]:
            print("NOTE  there are changes that are not committed; the file says so", file=sys.stderr)

        def keep(sofar: Sequence[Done]) -> None:
            save(path, content_of(begun, sofar))

        dones = do(works, options.runs, options.quick, budget, keep)
        keep(dones)
    found = lines(content_of(begun, dones))
    if options.quick:
        ran = sum(bool(done.rounds) for done in dones)
        print(f"{ran} of {len(dones)} works ran; small and cold, their figures say nothing")
    else:
        print(table(found))
    print(f"picture: {draw(found, path.with_suffix('.svg'))}")
    print(f"raw figures: {path}")
    for done in dones:
        if done.work.lacks:
            print(f"LACKS  {done.work.name}: {done.work.lacks}", file=sys.stderr)
    for failure in (failure for done in dones for failure in done.failures):
        print(f"FAILED  {failure}", file=sys.stderr)
    failed = any(done.failures for done in dones)
    missed = [] if options.quick else [line for line in found if line.missed]
    for line in missed:
        print(f"MISSED  {line.goal.row}: {line.verdict.replace('*', '')}", file=sys.stderr)
    return 1 if failed or missed else 0


def _told(work: Work) -> str:
    if not work.contenders:
        return f"{work.name}  (left out: {work.lacks})"
    warm = f" and {work.warm_up} to warm up" if work.warm_up else ""
    return (
        f"{work.name}  ({', '.join(work.contenders)}; {work.rounds} rounds{warm}, "
        f"about {MINUTES.get(work.name, 1):g} minutes each{f'; {work.lacks}' if work.lacks else ''})"
    )
