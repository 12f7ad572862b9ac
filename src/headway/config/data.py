"""What is configured for ``S3``, the client for the user's own data, as pods are told it."""

from headway.config.general import check_root
from headway.config.sources import Configuration


def data_environment(configuration: Configuration) -> dict[str, str]:
    """The variables that tell a pod what files or variables say here.

    Raises:
        SettingsError: DATATOOLS_S3ROOT is no root on S3.
    """
    found = {}
    root = configuration.get("DATATOOLS_S3ROOT")
    if root is not None:
        found["HEADWAY_DATATOOLS_S3ROOT"] = check_root("s3", root.value, root.source)
    encryption = configuration.get("S3_SERVER_SIDE_ENCRYPTION")
    if encryption is not None:
        found["HEADWAY_S3_SERVER_SIDE_ENCRYPTION"] = str(encryption.value)
    return found
