"""Steps as pods: Headway beside bare pods and beside Metaflow, on the cluster and the bucket of the environment.

    python3 dev.py bench pods [--runs N] [--quick] [--only WORK …] [--budget MINUTES]

Needs KUBECONFIG, HEADWAY_TEST_CLUSTER=1, HEADWAY_TEST_BUCKET and AWS_…; Metaflow runs as pods where
HEADWAY_BENCH_PEER_IMAGE names an image with boto3 and requests. A contender's time is that of a whole
process, its start included; the floor's is from its first create.
"""

import re
import statistics
import sys
from collections.abc import Sequence

from cluster import bare_output, log_of, sweep
from command import main
from floor import DISK, IMAGE, MEMORY, chain, cpu_for
from flows import CPU as CPU_FLOW
from flows import CPU_FLOOR, FOREACH, LINEAR
from place import PEER_IMAGE, Place
from timing import BenchmarkError
from works import Measures, Round, Target, Work, ratio

#: So many bare pods stand for a wide foreach; more would not fit on a small node at once.
WIDE = 200
PACKED = 1000


def resources(width: int) -> str:
    """What is behind ``--with`` for pods of a foreach of this width."""
    return f"kubernetes:cpu={cpu_for(width)},memory={MEMORY},disk={DISK}"


def works(place: Place) -> list[Work]:
    """Everything that this page measures."""
    wide, packed, pods = (4, 8, 2) if place.quick else (WIDE, PACKED, 20)
    twenty = 3 if place.quick else 20

    def floor(*levels: int) -> Measures:
        seconds = chain(levels, place.namespace)
        sweep(place.namespace)
        return {"seconds": sum(seconds), **{f"level {at}": each for at, each in enumerate(seconds)}}

    def headway(file: str, text: str, pods: int, options: str, *words: str) -> Measures:
        command = ("run", "--with", f"{resources(pods)},image={IMAGE}{options}", *words)
        ran = place.run("headway", file, text, command, place.in_pods("headway"))
        sweep(place.namespace)
        return ran.measures

    def metaflow(file: str, text: str, pods: int, *words: str) -> Measures:
        command = ("run", "--with", resources(pods), "--max-workers", str(pods), *words)
        ran = place.run("metaflow", file, text, command, place.in_pods("metaflow"), 1500.0)
        sweep(place.namespace)
        return ran.measures

    def width(number: int) -> tuple[str, ...]:
        return ("--width", str(number), "--max-num-splits", str(number))

    peers = not place.quick and PEER_IMAGE is not None
    no_peer = "" if peers or place.quick else "no HEADWAY_BENCH_PEER_IMAGE for Metaflow's pods"
    found = [
        Work(
            "pods linear",
            {
                "floor": lambda: floor(1, 1, 1, 1),
                "headway": lambda: headway("linear.py", LINEAR, 1, ""),
                "warm": lambda: headway("linear.py", LINEAR, 1, ",reuse=true"),
                **({"metaflow": lambda: metaflow("linear.py", LINEAR, 1)} if peers else {}),
            },
            (
                Target("linear, 4 steps, all on Kubernetes", ratio("headway", "floor"), 1.2, unit="× floor"),
                Target("the same with warm pods", ratio("warm", "floor"), 0.5, unit="× floor"),
                Target("linear, 4 steps as pods: Metaflow's time by ours", ratio("metaflow", "headway")),
            ),
            lacks=no_peer,
        ),
        Work(
            "pods foreach-20",
            {
                "floor": lambda: floor(1, twenty, 1, 1),
                "headway": lambda: headway("foreach.py", FOREACH, twenty, "", *width(twenty)),
                **(
                    {"metaflow": lambda: metaflow("foreach.py", FOREACH, twenty, *width(twenty))}
                    if peers
                    else {}
                ),
            },
            (
                Target("foreach 20, all 23 pods", ratio("headway", "floor"), 1.3, unit="× floor"),
                Target("foreach 20: Metaflow's time by ours", ratio("metaflow", "headway"), 8, at_least=True),
            ),
            lacks=no_peer,
        ),
        Work(
            "pods foreach-200",
            {
                "floor": lambda: floor(1, wide, 1, 1),
                "headway": lambda: headway("foreach.py", FOREACH, wide, "", *width(wide)),
                "packed": lambda: headway(
                    "foreach.py", FOREACH, pods, f",reuse=true,pods={pods}", *width(packed)
                ),
            },
            (
                Target("foreach 200 on Kubernetes", ratio("headway", "floor"), 1.3, unit="× floor"),
                Target(
                    "foreach 1,000 packed into 20 pods, by the floor of 1,000",
                    lambda measured: _packed(measured, packed / wide),
                    0.15,
                    unit="× floor",
                ),
            ),
            warm_up=0,
            note="no warm-up: a round takes minutes",
        ),
        Work(
            "pods cpu",
            {
                "floor": lambda: {"cpu": _counter(bare_output(CPU_FLOOR, place.namespace))},
                "headway": lambda: _pod_cpu(place),
            },
            (
                Target(
                    "processor time of a trivial task's container beyond python -c pass",
                    lambda measured: (measured["headway"]["cpu"] - measured["floor"]["cpu"]) * 1000,
                    80,
                    unit="ms",
                ),
            ),
        ),
    ]
    return [work.absent(place.lacks_cluster) if place.lacks_cluster else work for work in found]


def _packed(measured: Round, times: float) -> float:
    """The packed run by the floor of as many pods: its wide level so many times over, the others once."""
    floor = measured["floor"]
    return measured["packed"]["seconds"] / (floor["seconds"] + (times - 1) * floor["level 1"])


def _pod_cpu(place: Place) -> Measures:
    """The processor time of whole containers, from start to end, the median of a run's two pods."""
    command = ("run", "--with", f"{resources(1)},image={IMAGE}")
    ran = place.run("headway", "cpu.py", CPU_FLOW, command, place.in_pods("headway"))
    pods: Sequence[str] = re.findall(r"Running on Kubernetes pod: (\S+)", ran.stdout)
    if not pods:
        raise BenchmarkError("the run names no pod")
    used = [_counter(log_of(pod, place.namespace)) for pod in pods]
    sweep(place.namespace)
    return {"cpu": statistics.median(used), **{f"cpu {at}": each for at, each in enumerate(used)}}


def _counter(printed: str) -> float:
    found = re.findall(r"container used ([\d.]+)", printed)
    if not found:
        raise BenchmarkError(f"a container did not say what it used: {printed[-300:]}")
    return float(found[-1])


if __name__ == "__main__":
    sys.exit(main("pods", __doc__.splitlines()[0], [works]))
