"""Where data goes when nobody says where: configured by name, else beside the runs in the datastore."""

import os
from typing import TYPE_CHECKING, Optional, Tuple

from headway.datatools.errors import S3ClientError, S3URLError
from headway.errors import StoreConfigurationError
from headway.flow.current import current
from headway.store.locations import S3Location, parse_location
from headway.store.net.retries import RetryPolicy

if TYPE_CHECKING:
    from headway.config.sources import Configuration

_FOLDER = "data"
_MOST_WORKERS = 1000
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


def worker_count() -> Optional[int]:
    """The configured S3_WORKER_COUNT: how many objects are transferred at a time; None where nothing says.

    Raises:
        S3ClientError: It is no such number.
    """
    return _number("S3_WORKER_COUNT", 1, _MOST_WORKERS)


def retry_policy() -> RetryPolicy:
    """How often a call is made again: S3_RETRY_COUNT times, where that is configured.

    Raises:
        S3ClientError: It is no such number.
    """
    retries = _number("S3_RETRY_COUNT", 0, _MOST_WORKERS)
    return RetryPolicy() if retries is None else RetryPolicy(tries=retries + 1)


def temporary_root() -> str:
    """The folder for downloads: the task's ``current.tempdir``, else the configured TEMPDIR, else this one."""
    within = current.get("tempdir")
    return str(within if within not in (None, ".") else _setting("TEMPDIR") or ".")


def _beside_the_runs() -> Optional[str]:
    for name in ("HEADWAY_DATASTORE", "HEADWAY_TASK_DATASTORE"):
        url = os.environ.get(name, "")
        if url.startswith("s3://"):
            return f"{url.rstrip('/')}/{_folder()}"
    root = _setting("DATASTORE_SYSROOT_S3")
    return f"{root.rstrip('/')}/{_folder()}" if root else None


def _folder() -> str:
    return (_setting("DATATOOLS_SUFFIX") or "").strip("/") or _FOLDER


def _number(name: str, least: int, most: int) -> Optional[int]:
    written = _setting(name)
    if written is None:
        return None
    if not written.isdecimal() or not least <= int(written) <= most:
        raise S3ClientError(
            f"{name} is {written!r}, and a whole number from {least} to {most} is allowed.",
            f"Set HEADWAY_{name} to one, or to nothing.",
        )
    return int(written)


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
    if found is None or isinstance(found.value, str):
        return found and str(found.value)
    # Of a file, which the configuration has read with it.
    import json

    return json.dumps(found.value)


def _configuration() -> "Optional[Configuration]":
    try:
        # Not in a pod, which is given what is configured as variables.
        from headway.config.sources import Configuration
    except ImportError:
        return None
    # pathlib is loaded by the configuration in any case.
    from pathlib import Path

    return Configuration.load(os.environ, Path.cwd())
