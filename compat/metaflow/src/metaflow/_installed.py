"""Finds the real Metaflow in this environment: two packages of one name cannot both be meant."""

import os
import sys
from typing import Iterable, Optional


def refuse_beside_metaflow() -> None:
    """Stop the import where Metaflow itself is installed too.

    Raises:
        ImportError: It is; says which version, and what to type for either of the two.
    """
    version = metaflow_version(sys.path)
    if version is not None:
        raise ImportError(
            f"Metaflow {version} and headway-metaflow are installed in the same environment "
            f"({sys.prefix}). Both are imported as `metaflow`, so which of them runs is chance. "
            "To run flows on Headway: pip uninstall metaflow headway-metaflow, then pip install headway-metaflow. "
            "To keep Metaflow: pip uninstall metaflow headway-metaflow, then pip install metaflow."
        )


def metaflow_version(folders: Iterable[str]) -> Optional[str]:
    """The version of the real Metaflow in these import folders, None where there is none."""
    if not any(_lists_metaflow(folder) for folder in folders):
        return None
    # 60 ms, paid only where there is something to tell.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("metaflow")
    except PackageNotFoundError:
        return None


def _lists_metaflow(folder: str) -> bool:
    """Whether something in this folder says that Metaflow was installed into it."""
    try:
        names = os.listdir(folder or os.curdir)
    except OSError:
        return False
    return any(
        name.startswith(("metaflow-", "metaflow.")) and name.endswith((".dist-info", ".egg-info"))
        for name in names
    )
