"""Where runs are looked for: the roots that configuration, environment or the person name.

By default these are the index folder of this machine (the nearest ``.headway``, or the configured
local root), whose entries lead to the runs that it started in other datastores, and the default
datastore, if another one is configured. In a pod it is the run's own datastore.
"""

import os
from typing import List, Optional, Tuple

from headway.errors import HeadwayError, NotFoundError, UsageError
from headway.store.layout import VERSION
from headway.store.locations import FolderLocation, kind_of, parse_location

_INDEX = ".headway"
#: Beside it: what `spin` ran, which is no part of any run.
SPIN_FOLDER = ".headway_spin"
_KINDS = ("local", "s3", "azure", "gs")
#: How the address of a metadata service begins; one of Azure's blob services does so, too.
_SERVICE = ("http://", "https://")

#: One for the process, see :func:`metadata`; None means as configured, asked anew each time.
_chosen: Optional[str] = None


def metadata(place: str) -> str:
    """Look for runs only here from now on, in this process.

    Args:
        place: A folder that is or holds a ``.headway``, or a datastore's root such as
            ``s3://bucket/prefix``; also with its kind before it: ``local@/work``, ``s3@s3://bucket/prefix``.

    Returns:
        What is in use now, as :func:`get_metadata` says it.

    Raises:
        UsageError: It names a metadata service; runs are found in their datastore, without a service.
        NotFoundError: There is no such folder, or it holds no runs.
        StoreConfigurationError: The root is not understood.
    """
    global _chosen
    kind, _, rest = place.partition("@")
    root = rest if kind in (*_KINDS, "service") else place
    if kind == "service" or (kind != "azure" and root.startswith(_SERVICE) and ".blob." not in root):
        raise UsageError(
            f"metadata({place!r}): Headway needs no metadata service and asks none.",
            "Name the folder or the datastore that holds the runs: metadata('s3://bucket/prefix').",
        )
    location = parse_location("." if kind == "local" and not root else root)
    _chosen = _index_in(location.path) if isinstance(location, FolderLocation) else root.rstrip("/")
    return get_metadata()


def inspect_spin(datastore_root: str = ".") -> str:
    """Look only at what ``spin`` ran from now on, in this process; ``default_metadata()`` goes back.

    Args:
        datastore_root: The folder in which the flow was spun, or the one that holds what spin keeps.

    Returns:
        What is in use now, as :func:`get_metadata` says it.

    Raises:
        NotFoundError: Nothing was spun there.
    """
    folder = os.path.abspath(datastore_root)
    if os.path.basename(folder) != SPIN_FOLDER:
        folder = f"{folder}/{SPIN_FOLDER}"
    if not os.path.isdir(folder):
        raise NotFoundError(
            f"Nothing was spun in {os.path.dirname(folder)}: it holds no {SPIN_FOLDER}.",
            "Name the folder in which the flow was spun.",
        )
    global _chosen
    _chosen = folder
    return get_metadata()


def get_metadata() -> str:
    """Where runs are looked for first: ``local@/data/.headway``, ``s3@s3://bucket/prefix``."""
    first = roots()[0]
    return f"{kind_of(first)}@{first}"


def default_metadata() -> str:
    """Go back to the configured places.

    Returns:
        What is in use now, as :func:`get_metadata` says it.
    """
    global _chosen
    _chosen = None
    return get_metadata()


def roots() -> Tuple[str, ...]:
    """The datastores to look in, the first one first.

    Raises:
        SettingsError: The configuration names a datastore without a root.
    """
    if _chosen is not None:
        return (_chosen,)
    ours = os.environ.get("HEADWAY_DATASTORE")
    if ours:
        return (_normal(ours),)
    return tuple(dict.fromkeys(_normal(root) for root in _configured()))


def _configured() -> List[str]:
    try:
        # Not in a pod, where the environment names the one datastore there is.
        from headway.config.datastore import choose_datastore
        from headway.config.general import datastore_roots, name_store
        from headway.config.sources import Configuration
    except ImportError as error:
        raise HeadwayError(
            "Nothing says here where runs are kept: HEADWAY_DATASTORE is not set.",
            "Call headway.client.metadata('s3://bucket/prefix') first.",
        ) from error
    configuration = Configuration.load(os.environ, os.getcwd())
    name_store(configuration)
    known = datastore_roots(configuration)
    default = choose_datastore(
        None, None, known, any_remote_step=False, default=configuration.get("DEFAULT_DATASTORE")
    )
    return [str(known["local"].value), default.url]


def _index_in(folder: str) -> str:
    """The folder of runs that is meant: this one, the ``.headway`` in it, or the one beside a ``.metaflow``."""
    if os.path.basename(folder) == ".metaflow":
        folder = os.path.dirname(folder)
    inner = f"{folder}/{_INDEX}"
    if os.path.isdir(inner):
        return inner
    if folder.endswith(f"/{_INDEX}") or os.path.isdir(f"{folder}/{VERSION}"):
        return folder
    raise NotFoundError(
        f"There are no runs in {folder}: it holds no {_INDEX}.",
        f"Name the folder in which the flow was started, or its {_INDEX}.",
    )


def _normal(root: str) -> str:
    location = parse_location(root)
    return location.path if isinstance(location, FolderLocation) else root.rstrip("/")
