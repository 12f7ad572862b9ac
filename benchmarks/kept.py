"""Runs that take long and are read or compared again and again: made once, and kept with what making them took."""

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from flows import FOREACH
from origin import code
from peer import peer_version
from place import Place
from works import Measures

from headway.store.open import open_store

_KEPT = Path(__file__).parents[1] / ".dev" / "bench"


@dataclass(frozen=True)
class Kept:
    """A finished run of the foreach.

    Attributes:
        home: The folder that its flow file stands in.
        run: Its id.
        measures: What it took.
        made: The day on which it was made.
    """

    home: Path
    run: str
    measures: Measures
    made: str


def _holds_something(root: str) -> bool:
    """Whether the bucket still is the one in which the run was made: test servers begin empty again."""
    return next(iter(open_store(root).list("")), None) is not None


def kept_run(place: Place, module: str, width: int, on_s3: bool) -> Kept:
    """A run of this width; made now where there is none, or only one by other code.

    Headway's is kept by its commit and what was changed since, Metaflow's by its version.

    Args:
        place: Where contenders run.
        module: The contender.
        width: How many tasks its foreach has.
        on_s3: Whether its data is in the bucket; else in a folder.
    """
    root = place.root(module, kept=True) if on_s3 else "folder"
    home = _KEPT / f"{module}-{width}-{'s3' if on_s3 else 'folder'}"
    marker = home / "kept.json"
    by = peer_version() if module == "metaflow" else "-".join(code().values())
    if marker.exists():
        raw = json.loads(marker.read_text())
        if raw.pop("root") == root and raw.pop("by", "") == by and (not on_s3 or _holds_something(root)):
            return Kept(home, **raw)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    words = ("run", "--width", str(width), "--max-num-splits", str(width), "--run-id-file", "id.txt")
    env = place.on_s3(module, kept=True) if on_s3 else {}
    ran = place.run(module, "foreach.py", FOREACH, words, env, limit=3600.0, home=home)
    told = {
        "root": root,
        "by": by,
        "run": (home / "id.txt").read_text().strip(),
        "measures": dict(ran.measures),
        "made": time.strftime("%Y-%m-%d"),
    }
    marker.write_text(json.dumps(told))
    raw = {name: value for name, value in told.items() if name not in ("root", "by")}
    return Kept(home, **raw)  # type: ignore[arg-type]
