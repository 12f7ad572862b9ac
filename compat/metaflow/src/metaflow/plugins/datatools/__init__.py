"""Clients for the user's own data."""

from metaflow._aliases import aliases

__getattr__, __dir__ = aliases(
    __name__,
    {
        "MetaflowS3Exception": "headway.datatools:S3OperationError",
        "S3": "headway.datatools:S3",
    },
)
