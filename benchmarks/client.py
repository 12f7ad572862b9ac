"""Reading runs back: one artifact of each of 1,200 tasks from S3, beside Metaflow's client.

    python3 dev.py bench client [--runs N] [--quick] [--budget MINUTES]

The two runs that are read are made once and kept, in the bucket below ``bench-kept`` and in
``.dev/bench``; to make them anew, delete that folder.
"""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from command import main
from flows import FOREACH, READ
from place import Place
from works import Measures, Target, Work, measure, ratio

_KEPT = Path(__file__).parents[1] / ".dev" / "bench"


def works(place: Place) -> list[Work]:
    """Everything that this page measures; nothing where there is no S3 server."""
    if not place.has_store:
        return []
    width = 20 if place.quick else 1200

    def reader(module: str) -> Callable[[], Measures]:
        def read() -> Measures:
            home, run = _kept_run(place, module, width)
            env = place.on_s3(module, kept=True)
            ran = place.run(module, "read.py", READ, (run, str(width)), env, home=home)
            seconds = json.loads(ran.stdout.splitlines()[-1])["seconds"]
            return {**ran.measures, "process": ran.seconds, "seconds": seconds}

        return read

    return [
        Work(
            "client",
            {module: reader(module) for module in place.modules},
            (
                Target(
                    "client: 1,200 tasks' artifacts from S3: Metaflow's time by ours",
                    ratio("metaflow", "headway"),
                    10,
                    at_least=True,
                ),
                Target("client: 1,200 tasks' artifacts from S3", measure("headway", "seconds"), 1, unit="s"),
            ),
        )
    ]


def _kept_run(place: Place, module: str, width: int) -> tuple[Path, str]:
    """The folder and the id of a finished run of this width."""
    home = _KEPT / f"{module}-{width}"
    marker = home / "run.txt"
    bucket = place.root(module, kept=True)
    if marker.exists() and marker.read_text().startswith(f"{bucket} "):
        return home, marker.read_text().split()[1]
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    words = ("run", "--width", str(width), "--max-num-splits", str(width), "--run-id-file", "id.txt")
    env = place.on_s3(module, kept=True)
    place.run(module, "foreach.py", FOREACH, words, env, limit=3600.0, home=home)
    run = (home / "id.txt").read_text().strip()
    marker.write_text(f"{bucket} {run}")
    return home, run


if __name__ == "__main__":
    sys.exit(main("client", __doc__.splitlines()[0], [works]))
