"""``S3``: the client for the user's own data, in steps, notebooks and scripts.

The names here are the public ones. It stands beside the client that reads runs back, on the same store
code as the datastore, and runs in pods: Python 3.9, standard library.
"""

from headway.datatools.client import S3
from headway.datatools.errors import (
    S3AccessDeniedError,
    S3ClientError,
    S3DiskSpaceError,
    S3InvalidObjectError,
    S3InvalidRangeError,
    S3NotFoundError,
    S3OperationError,
    S3URLError,
)
from headway.datatools.objects import S3Object
from headway.datatools.values import RangeInfo, S3GetObject, S3PutObject

__all__ = [
    "S3",
    "RangeInfo",
    "S3AccessDeniedError",
    "S3ClientError",
    "S3DiskSpaceError",
    "S3GetObject",
    "S3InvalidObjectError",
    "S3InvalidRangeError",
    "S3NotFoundError",
    "S3Object",
    "S3OperationError",
    "S3PutObject",
    "S3URLError",
]
