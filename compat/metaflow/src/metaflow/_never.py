"""Exceptions of Metaflow's that nothing here raises: there so that code which catches them can be imported.

Each is a class of its own, so that what is written for one does not catch another.
"""

import sys
from typing import Any

from headway.errors import HeadwayError

#: By name, what it is about in Metaflow: its headline.
NEVER = {
    "AirflowException": "Airflow",
    "ArgoEventException": "Argo event",
    "ArgoWorkflowsException": "Argo Workflows",
    "ArgoWorkflowsSchedulingException": "Argo Workflows: schedule",
    "ArgoWorkflowsSensorCleanupException": "Argo Workflows: sensors",
    "BatchException": "AWS Batch",
    "BatchKilledException": "AWS Batch: killed",
    "CardClassFoundException": "Card: class",
    "CardNotPresentException": "Card: not there",
    "ComponentOverwriteNotSupportedException": "Card: component",
    "CondaEnvironmentException": "Conda",
    "DataException": "Data store",
    "ExternalCommandFailed": "External command failed",
    "FileCacheException": "File cache",
    "IncorrectArgumentException": "Card: argument",
    "IncorrectCardArgsException": "Card: arguments",
    "IncorrectPathspecException": "Card: pathspec",
    "InvalidEnvironmentException": "Environment",
    "KubernetesClientException": "Kubernetes: client",
    "KubernetesJobException": "Kubernetes: job",
    "KubernetesJobsetException": "Kubernetes: job set",
    "KubernetesKilledException": "Kubernetes: killed",
    "LogReadTimeoutError": "Log",
    "MetaflowInternalError": "Internal error",
    "MetaflowLocalNotFound": "Local data: not there",
    "MetaflowLocalURLException": "Local data: URL",
    "NBDeployerInitializationError": "Notebook",
    "NBRunnerInitializationError": "Notebook",
    "NotSupportedException": "Airflow: not supported",
    "PyLintWarn": "Pylint",
    "ServiceException": "Metadata service",
    "StepFunctionsException": "AWS Step Functions",
    "StepFunctionsSchedulingException": "AWS Step Functions: schedule",
    "TaskNotFoundException": "Card: task",
    "TypeRequiredException": "Card: type",
    "UVException": "uv",
    "UnrenderableCardException": "Card: rendering",
    "UnresolvableDatastoreException": "Card: datastore",
}


def __getattr__(name: str) -> Any:
    headline = NEVER.get(name)
    if headline is None:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    told = {"headline": headline, "__module__": __name__, "__doc__": "Metaflow raises it; nothing here does."}
    made = type(name, (HeadwayError,), told)
    setattr(sys.modules[__name__], name, made)
    return made
