"""``doctor``: everything that a run needs, looked at before there is one; from outside, and from inside a pod."""

import asyncio
import platform
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version

from msgspec.structs import replace

from headway.config.data import data_environment
from headway.config.datastore import Choice, choose_datastore
from headway.config.general import branch_owner, datastore_roots
from headway.config.general import user as configured_user
from headway.config.kubernetes import KubernetesSettings
from headway.config.shared import unseen_folder
from headway.config.sources import Configuration
from headway.errors import HeadwayError, UnknownUserError
from headway.executors.kubernetes.checkup import examine_cluster
from headway.executors.kubernetes.findings import BAD, GOOD, POOR, Finding
from headway.flow.decorators import DecoratorSpec
from headway.flow.graph import END, Graph, Node
from headway.launch.origin import Origin
from headway.launch.outset import Outset
from headway.launch.overrides import layer_for
from headway.launch.preview import shown_batches
from headway.launch.probe import Probe, alike, beneath
from headway.launch.project import resolve_project
from headway.launch.request import RunRequest
from headway.launch.steps import PlannedStep, plan_steps
from headway.store.batch import Code
from headway.store.conditions import verify_conditions
from headway.store.forward import credentials_to_forward
from headway.store.open import open_store
from headway.version import VERSION

#: The name under which settings are shown that belong to no step.
ANY = "any"

#: Different pods that are tried, at most.
_MOST_PROBES = 4

#: What stands for the steps' settings where there is no flow, or where none of its steps runs as pods.
_ANY_GRAPH = Graph("Doctor", [Node(ANY, END, decorators=(DecoratorSpec("kubernetes", {}),))], ANY, ANY)
#: The run that is looked at where there is no flow.
ANY_RUN = RunRequest(_ANY_GRAPH, Origin(Code("path", "doctor.py", ("__main__", "Doctor"))))

#: Where there is no datastore yet, what pods are is worth looking at all the same.
_NO_STORE = Choice("s3", "s3://bucket/prefix")


@dataclass(frozen=True)
class Examination:
    """What is to be looked at.

    Attributes:
        configuration: Variables and files.
        request: The run that a person has in mind; without a flow, one whose step says nothing.
        embedded: Whether a run would use the embedded cluster.
        inside: Whether to look from inside a pod, too.
    """

    configuration: Configuration
    request: RunRequest = field(default=ANY_RUN)
    embedded: bool = False
    inside: bool = True

    @cached_property
    def run(self) -> tuple[RunRequest, Mapping[str, PlannedStep]]:
        """The request and its steps; where none of them runs as pods, what stands for one that would."""
        planned = plan_steps(self.request.graph, self.configuration, self.request.overrides)
        if any(step.kubernetes is not None for step in planned.values()):
            return self.request, planned
        request = replace(self.request, graph=_ANY_GRAPH, overrides=())
        return request, plan_steps(_ANY_GRAPH, self.configuration)

    @property
    def steps(self) -> dict[str, KubernetesSettings]:
        """The settings of the steps that run as pods."""
        _, planned = self.run
        return {name: step.kubernetes for name, step in planned.items() if step.kubernetes is not None}

    def outset(self, choice: Choice) -> Outset:
        """The run as far as it can be told beforehand."""
        request, planned = self.run
        try:
            user = configured_user(self.configuration)
        except UnknownUserError:
            # That is a finding of its own.
            user = "unknown"
        owner = branch_owner(self.configuration, user)
        project = resolve_project(request.graph, owner, request.branch, request.production)
        told = data_environment(self.configuration)
        return Outset(request, self.configuration, planned, choice, user, "", project, told)


async def examine(this: Examination) -> AsyncIterator[Finding]:
    """Look at one thing after the other; what is wrong with one keeps nothing from being looked at that can be.

    Raises:
        HeadwayError: The flow or a setting is not valid, so there is nothing to look at.
    """
    steps = this.steps
    for finding in _machine(this.configuration):
        yield finding
    choice, finding = await asyncio.to_thread(_datastore, this, steps)
    yield finding
    lent: tuple[str, ...] = ()
    if this.request.forward_credentials and choice is not None:
        lent, found = await asyncio.to_thread(_lent, choice)
        yield found
    reached, stopped = True, set[str]()
    if this.embedded:
        yield Finding(
            GOOD, "No cluster is configured: pods run as processes of this machine, on the embedded cluster."
        )
    else:
        async for finding in _cluster(this, steps, choice, lent):
            stopped.update(finding.steps if finding.in_the_way else ())
            reached = reached and (bool(finding.steps) or not finding.in_the_way)
            yield finding
    if this.inside and choice is not None and reached:
        tried = {name: settings for name, settings in steps.items() if name not in stopped}
        async for finding in _from_inside(this, tried, choice):
            yield finding
        if stopped:
            left = [name for name in steps if name in stopped]
            like = "" if left == [ANY] else f" like {', '.join(left)}"
            yield Finding(POOR, f"No pod{like} was tried from inside, for what is said above.")


async def _cluster(
    this: Examination, steps: Mapping[str, KubernetesSettings], choice: Choice | None, lent: tuple[str, ...]
) -> AsyncIterator[Finding]:
    outset = this.outset(choice or _NO_STORE)
    async for finding in examine_cluster(
        steps,
        lambda settings: {
            start.step: shown.manifests for start, shown in shown_batches(outset, settings, lent)
        },
        lends=outset.request.forward_credentials,
        gangs=any(node.is_parallel for node in outset.request.graph),
    ):
        yield finding


def _lent(choice: Choice) -> tuple[tuple[str, ...], Finding]:
    """The names of the variables that a run's pods would be lent."""
    try:
        names = tuple(credentials_to_forward(choice.url))
    except HeadwayError as error:
        return (), Finding(BAD, error.message, error.hint or "")
    return names, Finding(GOOD, f"Pods would be lent {', '.join(names)}, in a Secret of the run.")


def _machine(configuration: Configuration) -> Iterator[Finding]:
    yield Finding(
        GOOD,
        f"Headway {VERSION} on Python {platform.python_version()} ({sys.platform}, {platform.machine()}).",
    )
    try:
        metaflow, ours = version("metaflow"), _version("headway-metaflow")
    except PackageNotFoundError:
        metaflow, ours = "", None
    if metaflow and ours:
        yield Finding(
            BAD,
            f"Metaflow {metaflow} and headway-metaflow are installed side by side; both are imported as `metaflow`.",
            "pip uninstall metaflow headway-metaflow, then install the one that you mean.",
        )
    elif metaflow:
        yield Finding(
            POOR,
            f"`import metaflow` gives Metaflow {metaflow}, so files that say it run there and not on Headway.",
            "pip uninstall metaflow && pip install headway-metaflow, to run them here unchanged.",
        )
    try:
        yield Finding(GOOD, f"You are {configured_user(configuration)}.")
    except HeadwayError as error:
        yield Finding(BAD, error.message, error.hint or "")
    for file in configuration.files:
        yield Finding(GOOD, f"Configuration is read from {file.path}.")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _datastore(this: Examination, steps: Mapping[str, KubernetesSettings]) -> tuple[Choice | None, Finding]:
    try:
        choice = choose_datastore(
            this.request.datastore,
            this.request.datastore_root,
            datastore_roots(this.configuration),
            not this.embedded,
            this.configuration.get("DEFAULT_DATASTORE"),
            unseen_folder(steps),
        )
        verify_conditions(open_store(choice.url, prefer_native=True))
    except HeadwayError as error:
        return None, Finding(BAD, error.message, error.hint or "")
    return choice, Finding(
        GOOD, f"The datastore {choice.url} can be read and written, and keeps conditional writes."
    )


async def _from_inside(
    this: Examination, steps: Mapping[str, KubernetesSettings], choice: Choice
) -> AsyncIterator[Finding]:
    request, _ = this.run
    probes: dict[tuple[str, ...], list[str]] = {}
    for step, settings in steps.items():
        probes.setdefault(_alike(request, step, settings), []).append(step)
    for specs, named in list(probes.items())[:_MOST_PROBES]:
        which = "A pod" if named == [ANY] else f"A pod like {', '.join(named)}"
        probe = Probe(
            which,
            specs,
            steps[named[0]].image,
            choice,
            request.forward_credentials,
            this.configuration.profile,
        )
        yield await asyncio.to_thread(probe.run)
    if len(probes) > _MOST_PROBES:
        yield Finding(POOR, f"{len(probes) - _MOST_PROBES} more kinds of pods were not tried.")


def _alike(request: RunRequest, step: str, settings: KubernetesSettings) -> tuple[str, ...]:
    """What is said of a step's pods, each as a ``--with``: on the step, with overrides, and what that leaves open."""
    spec = request.graph[step].decorator("kubernetes")
    override = layer_for(step, request.overrides)
    said = {**(spec.attributes if spec else {}), **(override.values if override else {})}
    late = [beneath(each.attributes) for each in (spec.beneath if spec else ())]
    return alike(said, settings.image), *filter(None, late)
