"""Where scripts written for Metaflow read the id of a flow's newest run: ``.metaflow/<flow>/latest_run``."""

import sys
from collections.abc import Container
from pathlib import Path

from headway.config.places import nearest
from headway.config.sources import Configuration

FOLDER = ".metaflow"
_ROOT = "METAFLOW_DATASTORE_SYSROOT_LOCAL"


def metaflow_folder(
    configuration: Configuration, local_root: str, modules: Container[str] = sys.modules
) -> str | None:
    """The ``.metaflow`` that such scripts look into, None where nothing speaks of Metaflow.

    Under the root that Metaflow's own variable names, else the nearest one that is there, else, for a flow
    that imports ``metaflow``, a new one where the runs are noted.

    Args:
        configuration: Where the root may be named, and where the search upward begins.
        local_root: The folder on this machine where runs are noted.
        modules: What the flow has imported.
    """
    root = configuration.get("DATASTORE_SYSROOT_LOCAL")
    if root is not None and root.source.endswith(_ROOT):
        return str(Path(str(root.value)) / FOLDER)
    found = nearest(configuration.cwd, FOLDER)
    if found is not None and Path(found).is_dir():
        return found
    if "metaflow" not in modules:
        return None
    index = Path(local_root)
    return str((index.parent if index.name == ".headway" else Path(configuration.cwd)) / FOLDER)
