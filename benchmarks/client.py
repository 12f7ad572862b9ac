"""Reading runs back: one artifact of each of 1,200 tasks from a folder and from S3, beside Metaflow's client.

    python3 dev.py bench client [--runs N] [--quick] [--budget MINUTES]

Each reads anew, with no cache of what it read before. The runs that are read are made once and kept, in
the bucket below ``bench-kept`` and in ``.dev/bench``; to make them anew, delete that folder.
"""

import json
import shutil
import sys
from collections.abc import Callable

from command import main
from flows import READ
from kept import kept_run
from place import Place
from works import Measures, Target, Work, measure, ratio


def works(place: Place) -> list[Work]:
    """Everything that this page measures."""
    width = 20 if place.quick else 1200

    def reader(module: str, on_s3: bool) -> Callable[[], Measures]:
        def read() -> Measures:
            kept = kept_run(place, module, width, on_s3)
            env = dict(place.on_s3(module, kept=True)) if on_s3 else {}
            # Metaflow's client keeps what it has read in a folder, and reads nothing a second time.
            cache = kept.home / "cache"
            shutil.rmtree(cache, ignore_errors=True)
            env["METAFLOW_CLIENT_CACHE_PATH"] = str(cache)
            ran = place.run(module, "read.py", READ, (kept.run, str(width)), env, home=kept.home)
            seconds = json.loads(ran.stdout.splitlines()[-1])["seconds"]
            return {**ran.measures, "process": ran.seconds, "seconds": seconds}

        return read

    def work(name: str, source: str, on_s3: bool) -> Work:
        return Work(
            name,
            {module: reader(module, on_s3) for module in place.modules},
            (
                Target(
                    f"client: 1,200 tasks' artifacts from {source}: Metaflow's time by ours",
                    ratio("metaflow", "headway"),
                    10,
                    at_least=True,
                ),
                Target(
                    f"client: 1,200 tasks' artifacts from {source}",
                    measure("headway", "seconds"),
                    1,
                    unit="s",
                ),
            ),
        )

    from_s3 = work("client s3", "S3", on_s3=True)
    return [
        work("client folder", "a folder", on_s3=False),
        from_s3.absent(place.lacks_store) if place.lacks_store else from_s3,
    ]


if __name__ == "__main__":
    sys.exit(main("client", __doc__.splitlines()[0], [works]))
