"""Where data goes when nobody says where: configured by name, else beside the runs in the datastore."""

import os
from typing import TYPE_CHECKING, Optional, Tuple

from headway.datatools.errors import S3URLError
from headway.errors import StoreConfigurationError
from headway.flow.current import current
from headway.store.locations import S3Location, parse_location

if TYPE_CHECKING:
    from headway.config.sources import Configuration

_FOLDER = "data"
_HOW = "Set HEADWAY_DATATOOLS_S3ROOT=s3://bucket/prefix, or write S3(s3root='s3://bucket/prefix')."


def data_root() -> Tuple[str, str]:
    """The bucket and the prefix under which ``S3(run=…)`` keeps the data of runs.

    Configured as DATATOOLS_S3ROOT; else ``data`` under the running task's datastore; else ``data``
    under the configured root of the S3 datastore.

    Raises:
        S3URLError: None of these is there, or it is not on S3.
    """
    root = _setting("DATATOOLS_S3ROOT") or _beside_the_runs()
    if root is None:
        raise S3URLError("Nothing says where data of runs goes on S3.", _HOW)
    try:
        location = parse_location(root)
    except StoreConfigurationError as error:
        raise S3URLError(error.message, _HOW) from error
    if not isinstance(location, S3Location):
        raise S3URLError(f"The root for data of runs, {root}, is not on S3.", _HOW)
    return location.bucket, location.prefix


def default_encryption() -> Optional[str]:
    """The configured S3_SERVER_SIDE_ENCRYPTION."""
    return _setting("S3_SERVER_SIDE_ENCRYPTION")


def temporary_root() -> str:
    """The folder for downloads: the task's ``current.tempdir``, else the configured TEMPDIR, else this one."""
    within = current.get("tempdir")
    return str(within if within not in (None, ".") else _setting("TEMPDIR") or ".")


def _beside_the_runs() -> Optional[str]:
    for name in ("HEADWAY_DATASTORE", "HEADWAY_TASK_DATASTORE"):
        url = os.environ.get(name, "")
        if url.startswith("s3://"):
            return f"{url.rstrip('/')}/{_FOLDER}"
    root = _setting("DATASTORE_SYSROOT_S3")
    return f"{root.rstrip('/')}/{_FOLDER}" if root else None


def configured(name: str) -> Optional[str]:
    """What a variable or the configuration says under this name, given without prefix; None where nothing does."""
    return _setting(name)


def _setting(name: str) -> Optional[str]:
    for prefix in ("HEADWAY_", "METAFLOW_"):
        value = os.environ.get(prefix + name)
        if value:
            return value
    configuration = _configuration()
    found = configuration.get(name) if configuration is not None else None
    return str(found.value) if found is not None else None


def _configuration() -> "Optional[Configuration]":
    try:
        # Not in a pod, which is given what is configured as variables.
        from headway.config.sources import Configuration
    except ImportError:
        return None
    # pathlib is loaded by the configuration in any case.
    from pathlib import Path

    return Configuration.load(os.environ, Path.cwd())
