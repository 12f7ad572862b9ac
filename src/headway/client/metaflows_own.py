"""Runs that Metaflow itself made on this machine: Headway does not read them, and says so where one is asked for."""

import os
from typing import Optional

_FOLDER = ".metaflow"
#: Where Metaflow is told of another folder to hold the one above.
_ROOT = "METAFLOW_DATASTORE_SYSROOT_LOCAL"


def of_metaflow(flow: str, run: Optional[str] = None) -> str:
    """What to say of Metaflow's own runs of a flow; "" where none is here.

    Args:
        flow: The flow's name.
        run: Only whether this one is there.
    """
    folder = _folder_of(flow)
    if not folder or (run is not None and not os.path.isdir(f"{folder}/{run}")):
        return ""
    what = (
        f"Metaflow's own runs of {flow} are" if run is None else f"Run {flow}/{run} is one of Metaflow's own,"
    )
    return f"{what} in {folder}: Headway does not read them. Look at them with Metaflow."


def _folder_of(flow: str) -> str:
    """The folder with Metaflow's runs of a flow: the configured one, else the nearest upward; "" where none is."""
    configured = os.environ.get(_ROOT)
    place = configured or os.getcwd()
    while True:
        folder = os.path.join(place, _FOLDER, flow)
        if _holds_runs(folder):
            return folder
        above = os.path.dirname(place)
        if configured or above == place:
            return ""
        place = above


def _holds_runs(folder: str) -> bool:
    """Whether there is a run; the newest run's id stands there in a file for Headway's runs, too."""
    try:
        with os.scandir(folder) as entries:
            return any(os.path.isdir(f"{entry.path}/_meta") for entry in entries)
    except OSError:
        return False
