"""Steps as pods: Headway beside the floor, on the cluster and datastore of the environment.

    python3 dev.py bench pods [--runs 5] [--quick]

Needs KUBECONFIG and HEADWAY_TEST_BUCKET (or a configured datastore root). Each figure is the time of a
whole process, its start included; the floor's is from its first create.
"""

import argparse
import os
import sys
import tempfile
from functools import partial
from pathlib import Path

from floor import CPU, DISK, IMAGE, MEMORY, chain
from flows import FOREACH, LINEAR
from timing import interleave, process, ratio, save, table

#: (name, flow, its file, pods of each level, ratio to the floor that must hold)
WORKS = (
    ("linear, 4 steps", LINEAR, "linear.py", (1, 1, 1, 1), 1.3),
    ("foreach 20", FOREACH, "foreach.py", (1, 20, 1, 1), 1.5),
)


def main() -> int:
    """Run, print, keep the raw figures; the exit code says whether the targets hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one round, no targets: does it still work")
    parser.add_argument("--namespace", default=os.environ.get("HEADWAY_KUBERNETES_NAMESPACE", "default"))
    options = parser.parse_args()
    runs, warm_up = (1, 0) if options.quick else (options.runs, 1)
    resources = (
        f"kubernetes:cpu={CPU},memory={MEMORY},disk={DISK},image={IMAGE},namespace={options.namespace}"
    )
    env = (
        {}
        if _has_root()
        else {"HEADWAY_DATASTORE_SYSROOT_S3": f"s3://{os.environ['HEADWAY_TEST_BUCKET']}/bench"}
    )
    figures, missed = {}, []
    with tempfile.TemporaryDirectory() as folder:
        for name, text, file, levels, target in WORKS:
            (Path(folder) / file).write_text(text.format(module="headway"))
            command = [sys.executable, file, "run", "--with", resources, "--forward-credentials"]
            contenders = {
                "floor": partial(chain, levels, options.namespace),
                "headway": partial(process, command, Path(folder), env),
            }
            series = interleave(contenders, runs, warm_up)
            figures[name] = series
            print(table(name, series, "floor"))
            if ratio(series, "headway", "floor") > target and not options.quick:
                missed.append(f"{name}: more than {target} times the floor")
    print(f"raw figures: {save('pods', figures)}")
    for line in missed:
        print(f"TARGET MISSED  {line}")
    return 1 if missed else 0


def _has_root() -> bool:
    return any(os.environ.get(f"{prefix}_DATASTORE_SYSROOT_S3") for prefix in ("HEADWAY", "METAFLOW"))


if __name__ == "__main__":
    sys.exit(main())
