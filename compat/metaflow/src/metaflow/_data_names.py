"""The names of the client for the user's own data, which stand in several of Metaflow's modules."""

DATA_NAMES = {
    "MetaflowS3AccessDenied": "headway.datatools:S3AccessDeniedError",
    "MetaflowS3Exception": "headway.datatools:S3OperationError",
    "MetaflowS3InsufficientDiskSpace": "headway.datatools:S3DiskSpaceError",
    "MetaflowS3InvalidObject": "headway.datatools:S3InvalidObjectError",
    "MetaflowS3InvalidRange": "headway.datatools:S3InvalidRangeError",
    "MetaflowS3NotFound": "headway.datatools:S3NotFoundError",
    "MetaflowS3URLException": "headway.datatools:S3URLError",
    "RangeInfo": "headway.datatools:RangeInfo",
    "S3": "headway.datatools:S3",
    "S3GetObject": "headway.datatools:S3GetObject",
    "S3Object": "headway.datatools:S3Object",
    "S3PutObject": "headway.datatools:S3PutObject",
}
