"""What is settled about a run before anything of it exists: its steps' settings, its datastore, whose it is."""

import sys
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from headway.config.data import data_environment
from headway.config.datastore import Choice, choose_datastore
from headway.config.general import branch_owner, datastore_roots
from headway.config.general import user as configured_user
from headway.config.shared import unseen_folder
from headway.config.sources import Configuration
from headway.launch.notices import notices
from headway.launch.project import resolve_project
from headway.launch.reporter import Reporter
from headway.launch.request import RunRequest
from headway.launch.steps import PlannedStep, plan_steps, with_interpreter
from headway.schedule.plan import StepPolicy
from headway.store.base import ObjectStore
from headway.store.batch import Project
from headway.store.conditions import verify_conditions
from headway.store.open import open_store

if TYPE_CHECKING:
    from headway.config.kubernetes import KubernetesSettings


class Outset(Struct, frozen=True, dict=True):
    """A run as it is meant to be.

    Attributes:
        request: What was asked for.
        configuration: Variables and files.
        steps: The steps with their settings.
        choice: The datastore.
        user: Who runs it.
        local_root: The folder on this machine where runs are noted, whatever their datastore.
        project: The project that it belongs to, None without ``@project``.
        told: The settings of the data client, as variables for pods.
    """

    request: RunRequest
    configuration: Configuration
    steps: Mapping[str, PlannedStep]
    choice: Choice
    user: str
    local_root: str
    project: Project | None
    told: Mapping[str, str]

    @property
    def flow(self) -> str:
        """The flow's name."""
        return self.request.graph.name

    @property
    def namespace(self) -> str:
        """The user namespace."""
        given = self.request.namespace
        return given if given is not None else f"user:{self.user}"

    @cached_property
    def remote(self) -> dict[str, "KubernetesSettings"]:
        """The settings of the steps that run as pods, by step."""
        found = _kubernetes_of(self.steps)
        if not self.request.pods_see_folders:
            return found
        # The embedded cluster may have been started from another environment than this flow's.
        return {name: with_interpreter(settings, sys.executable) for name, settings in found.items()}

    @property
    def has_local_steps(self) -> bool:
        """Whether some step runs on this machine."""
        return len(self.remote) < len(self.steps)

    @property
    def policies(self) -> dict[str, StepPolicy]:
        """How often each step may be tried again."""
        return {name: step.policy for name, step in self.steps.items()}

    def open_store(self) -> ObjectStore:
        """The datastore, once it has shown that it honours conditional writes."""
        store = open_store(self.choice.url, prefer_native=True)
        verify_conditions(store)
        return store


def settle(request: RunRequest, configuration: Configuration, reporter: Reporter) -> Outset:
    """Work out what a run will be, and tell what a person should know of it beforehand.

    Raises:
        HeadwayError: It cannot be run like this.
    """
    user = request.attaches.record.user if request.attaches else configured_user(configuration)
    steps = plan_steps(request.graph, configuration, request.overrides)
    project = resolve_project(
        request.graph, branch_owner(configuration, user), request.branch, request.production
    )
    far = {} if request.pods_see_folders else _kubernetes_of(steps)
    choice = _datastore(request, configuration, far)
    if choice.reason:
        reporter.note(choice.reason)
    if project is not None:
        reporter.note(f"Project: {project.name}, branch: {project.branch}")
    for notice in notices(request.graph):
        reporter.note(notice)
    for step in steps.values():
        for warning in step.warnings if step.kubernetes is not None else ():
            reporter.note(warning)
    told, local_root = data_environment(configuration), str(datastore_roots(configuration)["local"].value)
    return Outset(request, configuration, steps, choice, user, local_root, project, told)


def _kubernetes_of(steps: Mapping[str, PlannedStep]) -> dict[str, "KubernetesSettings"]:
    return {name: step.kubernetes for name, step in steps.items() if step.kubernetes is not None}


def _datastore(
    request: RunRequest, configuration: Configuration, far: Mapping[str, "KubernetesSettings"]
) -> Choice:
    """Where the run's data goes: a run that goes on from another stays with it, if it can and may."""
    past = request.past.store.url if request.past is not None else None
    chosen = request.datastore is not None or request.datastore_root is not None
    unseen = unseen_folder(far)
    if past is not None and not chosen and ("://" in past or not unseen(past)):
        return Choice(past.partition("://")[0] if "://" in past else "local", past)
    return choose_datastore(
        request.datastore,
        request.datastore_root,
        datastore_roots(configuration),
        bool(far),
        configuration.get("DEFAULT_DATASTORE"),
        unseen,
    )
