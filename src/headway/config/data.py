"""What is configured for ``S3``, the client for the user's own data, as pods are told it."""

from headway.config.general import check_root
from headway.config.sources import Configuration, Sourced
from headway.errors import SettingsError

#: As many as the client takes.
_MOST = 1000


def data_environment(configuration: Configuration) -> dict[str, str]:
    """The variables that tell a pod what files or variables say here.

    Raises:
        SettingsError: DATATOOLS_S3ROOT is no root on S3, or a count is none.
    """
    found = {}
    root = configuration.get("DATATOOLS_S3ROOT")
    if root is not None:
        found["HEADWAY_DATATOOLS_S3ROOT"] = check_root("s3", root.value, root.source)
    suffix = configuration.get("DATATOOLS_SUFFIX")
    if suffix is not None:
        found["HEADWAY_DATATOOLS_SUFFIX"] = str(suffix.value)
    encryption = configuration.get("S3_SERVER_SIDE_ENCRYPTION")
    if encryption is not None:
        found["HEADWAY_S3_SERVER_SIDE_ENCRYPTION"] = str(encryption.value)
    retries = configuration.get("S3_RETRY_COUNT")
    if retries is not None:
        found["HEADWAY_S3_RETRY_COUNT"] = _count("S3_RETRY_COUNT", retries, 0)
    workers = configuration.get("S3_WORKER_COUNT")
    if workers is not None:
        found["HEADWAY_S3_WORKER_COUNT"] = _count("S3_WORKER_COUNT", workers, 1)
    return found


def _count(name: str, found: Sourced, least: int) -> str:
    from headway.config.parsing import RefusedError, integer  # only for those who set one: every run comes by

    try:
        return str(integer(least, _MOST)(found.value))
    except RefusedError as refused:
        raise SettingsError(name, found.value, refused.allowed, found.source, refused.hint) from refused
