"""The exceptions that people catch, as Headway's errors of the same meaning."""

from metaflow._aliases import aliases

__getattr__, __dir__ = aliases(
    __name__,
    {
        "CommandException": "headway.errors:CommandError",
        "ExternalCommandFailed": "metaflow._never:ExternalCommandFailed",
        "METAFLOW_EXIT_ALLOW_RETRY": "headway.store.records:EXIT_TRY_AGAIN",
        "METAFLOW_EXIT_DISALLOW_RETRY": "headway.store.records:EXIT_FOR_GOOD",
        "InvalidDecoratorAttribute": "headway.flow.decorator_errors:UnknownAttributeError",
        "MetaflowDataMissing": "headway.errors:KeyNotFoundError",
        "MetaflowException": "headway.errors:HeadwayError",
        "MetaflowExceptionWrapper": "headway.errors:TaskFailedError",
        "MetaflowInternalError": "metaflow._never:MetaflowInternalError",
        "MetaflowInvalidPathspec": "headway.client.errors:InvalidPathspecError",
        "MetaflowNamespaceMismatch": "headway.client.errors:NamespaceMismatchError",
        "MetaflowNotFound": "headway.errors:NotFoundError",
        "MetaflowTaggingError": "headway.errors:TaggingError",
        "MetaflowUnknownUser": "headway.errors:UnknownUserError",
        "MissingInMergeArtifactsException": "headway.flow.merge:MissingInMergeArtifactsError",
        "ParameterFieldFailed": "headway.flow.parameters:ParameterFieldFailedError",
        "ParameterFieldTypeMismatch": "headway.flow.parameters:ParameterFieldTypeMismatchError",
        "UnhandledInMergeArtifactsException": "headway.flow.merge:UnhandledInMergeArtifactsError",
    },
)
