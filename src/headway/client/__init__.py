"""Reading runs back: flows, runs, steps, tasks and artifacts, wherever their data is.

::

    run = Flow("MyFlow").latest_run
    for task in run["train"]:
        print(task.metadata_dict.get("kubernetes-pod-name"), task.data.score)

Works in scripts and notebooks, and in steps as well.
"""

from headway.client.artifact import DataArtifact
from headway.client.code import MetaflowCode
from headway.client.errors import InvalidPathspecError, NamespaceMismatchError, TaskFailedError
from headway.client.facts import Metadata
from headway.client.find import find, find_tasks
from headway.client.flow import Flow, Headway
from headway.client.namespaces import default_namespace, get_namespace, namespace
from headway.client.places import default_metadata, get_metadata, inspect_spin, metadata
from headway.client.run import Run
from headway.client.step import Step
from headway.client.task import Task
from headway.errors import NotFoundError

__all__ = [
    "DataArtifact",
    "Flow",
    "Headway",
    "InvalidPathspecError",
    "Metadata",
    "MetaflowCode",
    "NamespaceMismatchError",
    "NotFoundError",
    "Run",
    "Step",
    "Task",
    "TaskFailedError",
    "default_metadata",
    "default_namespace",
    "find",
    "find_tasks",
    "get_metadata",
    "get_namespace",
    "inspect_spin",
    "metadata",
    "namespace",
]
