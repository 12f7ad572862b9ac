"""``doctor``: everything that a run needs, looked at before there is one; from outside, and from inside a pod."""

import asyncio
import platform
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from headway.config.datastore import Choice, choose_datastore
from headway.config.general import datastore_roots
from headway.config.general import user as configured_user
from headway.config.kubernetes import KubernetesSettings
from headway.config.resolve import resolve_kubernetes
from headway.config.shared import unseen_folder
from headway.config.sources import Configuration
from headway.errors import HeadwayError
from headway.executors.kubernetes.checkup import BAD, GOOD, POOR, Finding, examine_cluster
from headway.flow.decorators import DecoratorSpec
from headway.flow.graph import Graph
from headway.launch.probe import Probe, alike
from headway.launch.steps import plan_steps
from headway.store.conditions import verify_conditions
from headway.store.open import open_store
from headway.version import VERSION

#: The name under which settings are shown that belong to no step.
ANY = "any"

#: Different pods that are tried, at most.
_MOST_PROBES = 4


@dataclass(frozen=True)
class Examination:
    """What is to be looked at.

    Attributes:
        configuration: Variables and files.
        graph: The flow's graph with what was attached from outside, None without a flow.
        datastore: ``--datastore``.
        datastore_root: ``--datastore-root``.
        forward_credentials: Whether runs lend their credentials.
        embedded: Whether a run would use the embedded cluster.
        inside: Whether to look from inside a pod, too.
    """

    configuration: Configuration
    graph: Graph | None = None
    datastore: str | None = None
    datastore_root: str | None = None
    forward_credentials: bool = False
    embedded: bool = False
    inside: bool = True

    @property
    def steps(self) -> dict[str, KubernetesSettings]:
        """The settings of the steps that run as pods; those of any step where there is no flow or none does."""
        planned = plan_steps(self.graph, self.configuration) if self.graph is not None else {}
        found = {name: step.kubernetes for name, step in planned.items() if step.kubernetes is not None}
        return found or {ANY: resolve_kubernetes(ANY, configuration=self.configuration).settings}


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
    reached = True
    if this.embedded:
        yield Finding(
            GOOD, "No cluster is configured: pods run as processes of this machine, on the embedded cluster."
        )
    else:
        gangs = this.graph is not None and any(node.is_parallel for node in this.graph)
        async for finding in examine_cluster(steps, lends=this.forward_credentials, gangs=gangs):
            reached = reached and finding.grade != BAD
            yield finding
    if this.inside and choice is not None and reached:
        async for finding in _from_inside(this, steps, choice):
            yield finding


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
            this.datastore,
            this.datastore_root,
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
    probes: dict[str, list[str]] = {}
    for step, settings in steps.items():
        probes.setdefault(alike(_decorator(this, step), settings.image), []).append(step)
    for spec, named in list(probes.items())[:_MOST_PROBES]:
        which = "A pod" if named == [ANY] else f"A pod like {', '.join(named)}"
        probe = Probe(
            which,
            spec,
            steps[named[0]].image,
            choice,
            this.forward_credentials,
            this.configuration.profile,
        )
        yield await asyncio.to_thread(probe.run)
    if len(probes) > _MOST_PROBES:
        yield Finding(POOR, f"{len(probes) - _MOST_PROBES} more kinds of pods were not tried.")


def _decorator(this: Examination, step: str) -> DecoratorSpec | None:
    return this.graph[step].decorator("kubernetes") if this.graph is not None and step in this.graph else None
