"""How Metaflow calls the types of Headway's errors; for tasks that failed."""

_OF_EXCEPTION = {
    "headway.client.errors": {
        "InvalidPathspecError": "MetaflowInvalidPathspec",
        "NamespaceMismatchError": "MetaflowNamespaceMismatch",
    },
    "headway.errors": {
        "CommandError": "CommandException",
        "HeadwayError": "MetaflowException",
        "KeyNotFoundError": "MetaflowDataMissing",
        "NotFoundError": "MetaflowNotFound",
        "TaggingError": "MetaflowTaggingError",
        "TaskFailedError": "MetaflowExceptionWrapper",
        "UnknownUserError": "MetaflowUnknownUser",
    },
    "headway.flow.merge": {
        "MissingInMergeArtifactsError": "MissingInMergeArtifactsException",
        "UnhandledInMergeArtifactsError": "UnhandledInMergeArtifactsException",
    },
}
_OF_S3 = {
    "S3AccessDeniedError": "MetaflowS3AccessDenied",
    "S3DiskSpaceError": "MetaflowS3InsufficientDiskSpace",
    "S3InvalidObjectError": "MetaflowS3InvalidObject",
    "S3InvalidRangeError": "MetaflowS3InvalidRange",
    "S3NotFoundError": "MetaflowS3NotFound",
    "S3OperationError": "MetaflowS3Exception",
    "S3URLError": "MetaflowS3URLException",
}

#: By the whole name of the class here, that of Metaflow's.
ERROR_NAMES = {
    **{
        f"{module}.{ours}": f"metaflow.exception.{theirs}"
        for module, names in _OF_EXCEPTION.items()
        for ours, theirs in names.items()
    },
    **{
        f"headway.datatools.errors.{ours}": f"metaflow.plugins.datatools.s3.s3.{theirs}"
        for ours, theirs in _OF_S3.items()
    },
    "headway.errors.FailureHandledByCatchError": "metaflow.plugins.catch_decorator.FailureHandledByCatch",
    "headway.flow.many.MulticoreError": "metaflow.multicore_utils.MulticoreException",
    "headway.flow.transition.InvalidTransitionError": "metaflow.flowspec.InvalidNextException",
    "headway.runtime.limits.StepTimeoutError": "metaflow.plugins.timeout_decorator.TimeoutException",
    "headway.store.unpicklable.UnpicklableArtifactError": (
        "metaflow.datastore.exceptions.UnpicklableArtifactException"
    ),
    "metaflow._never.ExternalCommandFailed": "metaflow.exception.ExternalCommandFailed",
    "metaflow._never.MetaflowInternalError": "metaflow.exception.MetaflowInternalError",
}
