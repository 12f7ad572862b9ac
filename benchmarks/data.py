"""Artifacts through S3: large arrays and many small objects, beside the raw library and beside Metaflow.

    python3 dev.py bench data [--runs N] [--quick] [--only WORK …] [--budget MINUTES]

Needs HEADWAY_TEST_BUCKET and AWS_…; the array from a pod needs a cluster, too. A store ends when the
task does, a load when the step has the value.
"""

import importlib.util
import json
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Literal

import obstore
from cluster import sweep
from command import main
from floor import IMAGE
from flows import ARRAY, DICTS, POD_ARRAY, RAW, STAMPS
from place import Place
from timing import Ran
from works import Measures, Target, Work, ratio

#: Cores and MB that a pod with the array asks for.
_CPU, _MEMORY = 0.5, 1500


def works(place: Place) -> list[Work]:
    """Everything that this page measures."""
    length, count = (250_000, 1000) if place.quick else (25_000_000, 1_000_000)

    def flow(name: str, file: str, text: str, *words: str) -> dict[str, Callable[[], Measures]]:
        def of(module: str) -> Callable[[], Measures]:
            def work() -> Measures:
                ran = place.run(module, file, text, ("run", *words), place.on_s3(module))
                return _stamped(place, module, name, ran)

            return work

        return {module: of(module) for module in place.modules}

    array = Work(
        "data array",
        {
            "raw": lambda: _raw(place, length),
            **flow("ArrayFlow", "big_array.py", ARRAY, "--length", str(length)),
        },
        (
            *_share("200 MB array, local steps", "headway", "raw", 0.7),
            Target(
                "200 MB array, both steps: Metaflow's time by ours",
                ratio("metaflow", "headway", "both"),
                4,
                at_least=True,
            ),
        ),
    )
    dicts = Work(
        "data dicts",
        flow("DictsFlow", "dicts.py", DICTS, "--count", str(count)),
        (
            Target("1e6 dicts, store: our time by Metaflow's", ratio("headway", "metaflow", "store"), 1),
            Target("1e6 dicts, load: our time by Metaflow's", ratio("headway", "metaflow", "load"), 1),
            Target("1e6 dicts, peak memory by Metaflow's", ratio("headway", "metaflow", "peak"), 1),
        ),
    )
    pod = Work(
        "data pod",
        {"headway": lambda: _from_pod(place, length)},
        tuple(
            Target(
                f"200 MB array, vanilla pod: rate of the {phase} by the raw client's",
                lambda measured, phase=phase: (
                    measured["headway"][f"raw_{phase}"] / measured["headway"][phase]
                ),
                0.6,
                at_least=True,
            )
            for phase in ("store", "load")
        ),
    )
    numpy = "" if importlib.util.find_spec("numpy") else "no numpy: `dev.py bench` installs it"
    lacks = ((array, place.lacks_store or numpy), (dicts, place.lacks_store), (pod, place.lacks_cluster))
    return [work.absent(why) if why else work for work, why in lacks]


def _share(what: str, name: str, raw: str, limit: float) -> Sequence[Target]:
    """How much of the raw rate each phase has."""
    return [
        Target(f"{what}: rate of the {phase} by the raw one", ratio(raw, name, phase), limit, at_least=True)
        for phase in ("store", "load")
    ]


def _raw(place: Place, length: int) -> Measures:
    """The same bytes up and down without a flow, in a process of their own, too."""
    assert place.bucket is not None
    ran = place.run("headway", "raw.py", RAW, (place.bucket, f"{place.name}/raw", str(length)))
    found: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return found


def _stamped(place: Place, module: str, name: str, ran: Ran, cluster: bool = False) -> Measures:
    """What the process took, and what the run's tasks say of their phases."""
    env = place.in_pods(module) if cluster else place.on_s3(module)
    stamps = json.loads(place.run(module, "stamps.py", STAMPS, (name,), env).stdout.splitlines()[-1])
    place.clear(f"{place.name}/{module}")
    return {**ran.measures, **stamps}


def _from_pod(place: Place, length: int) -> Measures:
    store = place.raw(f"{place.name}/raw")
    objects = "pod-array", "pod-array-again"

    def signed(method: Literal["PUT", "GET"], name: str) -> str:
        return obstore.sign(store, method, name, timedelta(hours=1))

    words = (
        "run", "--length", str(length), "--put", signed("PUT", objects[0]), "--get", signed("GET", objects[0]),
        "--put_again", signed("PUT", objects[1]),
        "--with", f"kubernetes:cpu={_CPU},memory={_MEMORY},disk=50,image={IMAGE}",
    )  # fmt: skip
    ran = place.run("headway", "pod_array.py", POD_ARRAY, words, place.in_pods("headway"))
    sweep(place.namespace)
    store.delete(list(objects))
    return _stamped(place, "headway", "PodArrayFlow", ran, cluster=True)


if __name__ == "__main__":
    sys.exit(main("data", __doc__.splitlines()[0], [works]))
