"""A launcher with very much to look after: 1,000 pods at once, and a foreach of 10,000.

    python3 dev.py bench scale [--runs N] [--quick] [--only WORK …] [--budget MINUTES]

Needs what ``pods`` needs. The 1,000 pods stand on simulated nodes (kwok) with the label and the taint
``pool=fleet`` / ``fleet``, where they begin and never end.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cluster import Created, fleet_size, running, sweep
from command import main
from floor import IMAGE
from flows import BODIES, FAILING, FLEET
from place import Place
from pods import resources
from timing import BenchmarkError, stop_group
from works import Measures, Target, Work, measure, ratio

_TICKS = os.sysconf("SC_CLK_TCK")


def works(place: Place) -> list[Work]:
    """Everything that this page measures."""
    some, many, pods = (10, 20, 2) if place.quick else (1000, 10_000, 20)
    bodies = 40 if place.quick else 500

    def packed(file: str, text: str, width: int, *more: str) -> Measures:
        words = (
            "run", "--width", str(width), "--max-num-splits", str(width), *more,
            "--with", f"{resources(pods)},image={IMAGE},reuse=true,pods={pods}",
        )  # fmt: skip
        with Created(place.namespace) as created:
            ran = place.run("headway", file, text, words, place.in_pods("headway"), 1500.0)
            time.sleep(1)  # what was created last is heard of
        sweep(place.namespace)
        place.clear(f"{place.name}/headway")
        return {**ran.measures, "objects": float(len(created.names))}

    found = [
        Work(
            "scale in-flight",
            {"headway": lambda: _in_flight(place, 10 if place.quick else 1000, 2 if place.quick else 30)},
            (
                Target(
                    "1,000 pods in flight: memory of the launcher",
                    measure("headway", "memory", 1e-6),
                    200,
                    unit="MB",
                ),
                Target(
                    "1,000 pods in flight: a core's share while nothing changes",
                    measure("headway", "share", 100),
                    10,
                    unit="%",
                ),
            ),
            warm_up=0,
            note="no warm-up: a round takes minutes",
        ),
        Work(
            "scale packed",
            {
                "thousand": lambda: packed("failing.py", FAILING, some),
                "headway": lambda: packed("failing.py", FAILING, many),
                "failing": lambda: packed("failing.py", FAILING, many, "--failing", "0.05"),
            },
            (
                Target(
                    "foreach 10,000 packed: objects created",
                    measure("headway", "objects"),
                    20,
                    unit="objects",
                ),
                Target(
                    "foreach 10,000 packed: the launcher's processor time",
                    measure("headway", "cpu"),
                    60,
                    unit="s",
                ),
                Target(
                    "foreach 10,000 packed: memory by that of 1,000",
                    ratio("headway", "thousand", "peak"),
                    1.3,
                ),
                Target(
                    "the same with 5 % failures: objects created",
                    measure("failing", "objects"),
                    60,
                    unit="objects",
                ),
                Target("the same with 5 % failures: processor time", measure("failing", "cpu"), unit="s"),
            ),
            warm_up=0,
            note="no warm-up: a round takes ten minutes; the flow itself asserts that results are right",
        ),
        Work(
            "scale bodies",
            {"headway": lambda: packed("bodies.py", BODIES, bodies)},
            (
                Target(
                    "foreach 500 of two steps each, packed: objects created",
                    measure("headway", "objects"),
                    unit="objects",
                ),
                Target(
                    "foreach 500 of two steps each, packed: the launcher's processor time",
                    measure("headway", "cpu"),
                    unit="s",
                ),
            ),
        ),
    ]
    if place.lacks_cluster:
        return [work.absent(place.lacks_cluster) for work in found]
    if not fleet_size():
        found[0] = found[0].absent("no simulated nodes: kwok's, labelled pool=fleet")
    return found


def _in_flight(place: Place, width: int, seconds: float) -> Measures:
    """The launcher's memory and processor time while this many pods run and nothing happens."""
    home = place.home("headway")
    (home / "fleet.py").write_text(FLEET)
    words = ("run", "--width", str(width), "--max-workers", str(width), "--max-num-splits", str(width))
    env = {**os.environ, **place.in_pods("headway"), "METAFLOW_USER": "bench"}
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(
            [sys.executable, "fleet.py", *words],
            cwd=home,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            begun = time.monotonic()
            while running(place.namespace) < width:
                if child.poll() is not None or time.monotonic() - begun > 600:
                    said.seek(0)
                    raise BenchmarkError(f"the pods do not all run\n{said.read()[-3000:]}")
                time.sleep(1)
            settled = time.monotonic() - begun
            time.sleep(min(20.0, seconds))
            before = _processor_time(child.pid)
            time.sleep(seconds)
            used = _processor_time(child.pid) - before
            memory = sum(_resident(pid) for pid in _tree(child.pid))
        finally:
            stop_group(child.pid)
            child.wait()
            sweep(place.namespace)
    return {"memory": float(memory), "share": used / seconds, "seconds": settled}


def _tree(pid: int) -> list[int]:
    """A process and all that come from it."""
    found = [pid]
    for known in found:
        for task in Path(f"/proc/{known}/task").iterdir():
            found += [int(word) for word in (task / "children").read_text().split()]
    return found


def _processor_time(pid: int) -> float:
    """Seconds of the whole tree so far."""
    total = 0
    for each in _tree(pid):
        words = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        total += sum(int(word) for word in words[11:15])
    return total / _TICKS


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    sys.exit(main("scale", __doc__.splitlines()[0], [works]))
