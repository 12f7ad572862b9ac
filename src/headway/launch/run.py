"""Runs a flow: the one place where configuration, scheduler, executors, journal and datastore are wired."""

import asyncio
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from headway.config.data import data_environment
from headway.config.datastore import Choice, choose_datastore
from headway.config.general import datastore_roots
from headway.config.general import user as configured_user
from headway.config.shared import unseen_folder
from headway.config.sources import Configuration
from headway.errors import StoreError
from headway.executors.base import Executor
from headway.executors.local.executor import LocalExecutor
from headway.executors.local.files import make_room
from headway.executors.local.zygote import CAN_FORK, Zygote
from headway.flow.graph import Graph
from headway.launch.attach import Launched, take_over
from headway.launch.batches import BatchFactory, StepRun
from headway.launch.claim import NewRun, Resumption, claim
from headway.launch.clones import Clones, steps_again
from headway.launch.driver import Driver
from headway.launch.ending import ended, interruptible, record_end
from headway.launch.index import leave_word, remember_run, run_attributes
from headway.launch.journal import Journal
from headway.launch.keeper import kept
from headway.launch.lease import Holder, Lease
from headway.launch.notices import notices
from headway.launch.origin import Origin, local_code
from headway.launch.packages.wanted import wanted_by
from headway.launch.past import PastRun
from headway.launch.project import resolve_project
from headway.launch.reporter import Reporter
from headway.launch.resume import left_open
from headway.launch.standing import Standing
from headway.launch.steps import PlannedStep, plan_steps, schedule_plan, with_interpreter
from headway.launch.stopping import heeded
from headway.launch.usage import Usage
from headway.schedule.plan import StepPolicy
from headway.schedule.scheduler import Scheduler
from headway.store.base import ObjectStore
from headway.store.conditions import verify_conditions
from headway.store.forward import child_environment, credentials_to_forward
from headway.store.open import open_store
from headway.store.records import AttemptRef, Code, Packages, Project, RunEnd, RunRecord

if TYPE_CHECKING:
    from headway.config.kubernetes import KubernetesSettings
    from headway.executors.kubernetes.cluster import Prepared
    from headway.launch.overrides import Override

#: Local attempts at a time, by processor.
_LOCAL_PER_CPU = 2
#: Seconds between SIGTERM and SIGKILL for local steps.
_LOCAL_GRACE = 30.0


@dataclass(frozen=True)
class RunRequest:
    """What is to be run, and how, as a person asked for it.

    Attributes:
        graph: The flow's graph, late decorators attached.
        origin: How the flow was started here.
        parameters: Values of the parameters, and of the class's constants, by name.
        given: The parameters as text, for people.
        parameter_changes: Parameters that the flow's mutators gave it or took, for its steps' processes.
        tags: Tags of the run.
        namespace: The user namespace, "user:<name>" by default.
        datastore: ``--datastore``.
        datastore_root: ``--datastore-root``.
        max_workers: ``--max-workers``: attempts at a time, for each executor; None for their defaults.
        max_num_splits: ``--max-num-splits``.
        max_log_size: ``--max-log-size`` in MB.
        package_suffixes: ``--package-suffixes``.
        package_max_size: ``--package-max-size``.
        run_id_file: Where the run's id is written.
        runner_attribute_file: Where the run's id, flow and place are written, as JSON, for who started it.
        pods_see_folders: Whether pods see this machine's folders, so that a local datastore will do.
        forward_credentials: Whether pods may use the launcher's own access to the datastore.
        overrides: ``--override``.
        resumes: The earlier run that this one goes on from, and how; None where it begins anew.
        branch: ``--branch``, for flows with ``@project``.
        production: ``--production``, likewise.
        attaches: The run itself, where another launcher began it and died.
        packages_anew: ``--force-rebuild-environments``: resolve again what @pypi asks for.
    """

    graph: Graph
    origin: Origin
    parameters: Mapping[str, object] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    parameter_changes: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    namespace: str | None = None
    datastore: str | None = None
    datastore_root: str | None = None
    max_workers: int | None = None
    max_num_splits: int = 100
    max_log_size: int = 10
    package_suffixes: str | None = None
    package_max_size: str | None = None
    run_id_file: str | None = None
    runner_attribute_file: str | None = None
    forward_credentials: bool = False
    pods_see_folders: bool = False
    overrides: "tuple[Override, ...]" = ()
    resumes: Resumption | None = None
    branch: str | None = None
    production: bool = False
    attaches: PastRun | None = None
    packages_anew: bool = False

    @property
    def past(self) -> PastRun | None:
        """The run that this one goes on from, which may be itself."""
        return self.attaches or (self.resumes.past if self.resumes is not None else None)


def run_flow(request: RunRequest, configuration: Configuration, reporter: Reporter) -> RunEnd:
    """Run a flow to its end.

    Everything that can be found wrong before a task exists is found before a task exists.

    Returns:
        How it ended.

    Raises:
        HeadwayError: It could not be run.
    """
    user = request.attaches.record.user if request.attaches else configured_user(configuration)
    steps = plan_steps(request.graph, configuration, request.overrides)
    project = resolve_project(request.graph, user, request.branch, request.production)
    remote = [step for step in steps.values() if step.kubernetes is not None]
    far = (
        {} if request.pods_see_folders else {step.name: step.kubernetes for step in remote if step.kubernetes}
    )
    roots = datastore_roots(configuration)
    choice = _datastore(request, configuration, far)
    if choice.reason:
        reporter.note(choice.reason)
    if project is not None:
        reporter.note(f"Project: {project.name}, branch: {project.branch}")
    for notice in notices(request.graph):
        reporter.note(notice)
    for step in remote:
        for warning in step.warnings:
            reporter.note(warning)
    told = data_environment(configuration)
    wiring = _Wiring(
        request, configuration, reporter, steps, choice, user, str(roots["local"].value), project, told
    )
    with wiring.warm_parent() as zygote:
        return asyncio.run(wiring.drive(zygote))


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


@dataclass(frozen=True)
class _Begun:
    """A run in this launcher's hands."""

    record: RunRecord
    code: Code
    packages: Mapping[str, Packages]
    lease: Lease
    journal: Journal
    scheduler: Scheduler
    clones: Clones | None = None
    standing: Standing | None = None
    recorded: frozenset[AttemptRef] = frozenset()


@dataclass(frozen=True)
class _Wiring:
    """The parts of one run, and how they are put together."""

    request: RunRequest
    configuration: Configuration
    reporter: Reporter
    steps: Mapping[str, PlannedStep]
    choice: Choice
    user: str
    local_root: str
    project: Project | None
    told: Mapping[str, str]

    @property
    def flow(self) -> str:
        return self.request.graph.name

    @property
    def remote(self) -> dict[str, "KubernetesSettings"]:
        """The settings of the steps that run as pods, by step."""
        found = {name: step.kubernetes for name, step in self.steps.items() if step.kubernetes is not None}
        if not self.request.pods_see_folders:
            return found
        # The embedded cluster may have been started from another environment than this flow's.
        return {name: with_interpreter(settings, sys.executable) for name, settings in found.items()}

    @property
    def has_local_steps(self) -> bool:
        """Whether some step runs on this machine."""
        return len(self.remote) < len(self.steps)

    @contextmanager
    def warm_parent(self) -> Iterator[tuple[Code, Zygote | None]]:
        """The code as local steps start it, and the process they are forked from.

        It imports the flow while everything else gets ready. There is none where every step is a pod, or
        where forking is not safe (macOS): then every attempt gets a process started afresh.
        """
        with local_code(self.request.origin) as code:
            zygote = Zygote(code, self.choice.url) if self.has_local_steps and CAN_FORK else None
            try:
                yield code, zygote
            finally:
                if zygote is not None:
                    zygote.close()

    async def drive(self, warm: tuple[Code, Zygote | None]) -> RunEnd:
        """From what can be found wrong beforehand to the record of the run's end."""
        local_code, zygote = warm
        async with AsyncExitStack() as stack:
            cluster = await self._cluster(stack) if self.remote else None
            store = await asyncio.to_thread(self._open_store)
            anew = self.request.attaches is None
            begun = await (self._begin if anew else self._go_on)(stack, store, local_code)
            record = begun.record
            executors: dict[str, Executor] = {}
            local = self._local(store, zygote)
            if self.has_local_steps:
                executors.update(dict.fromkeys(self.steps, local))
            if cluster is not None:
                executors.update(dict.fromkeys(self.remote, self._kubernetes(store, record, cluster)))
            usage = Usage(self.remote)
            driver = Driver(
                begun.scheduler,
                executors,
                self._batches(record, local_code, begun.code, begun.packages),
                begun.journal,
                self.reporter,
                self.request.max_num_splits,
                fallbacks=local if any(step.catch for step in self.steps.values()) else None,
                clones=begun.clones,
                clone_only=self.request.resumes is not None and self.request.resumes.clone_only,
                heard=usage.add,
            )
            stack.enter_context(interruptible(driver, self.reporter))
            await stack.enter_async_context(kept(begun.lease, driver.fail))
            await stack.enter_async_context(heeded(store, record.flow, record.run, driver.stop))
            self.reporter.run_started(record, attached=not anew)
            said = await driver.run(begun.standing, begun.recorded)
            end = await asyncio.to_thread(record_end, store, record, said, begun.scheduler.winners())
        for line in usage.lines():
            self.reporter.note(line)
        self.reporter.run_ended(end)
        await asyncio.to_thread(self._exit_hooks, end, record, local_code)
        return end

    def _exit_hooks(self, end: RunEnd, record: RunRecord, code: Code) -> None:
        hooks = [spec for spec in self.request.graph.decorators if spec.name == "exit_hook"]
        if hooks:
            # The client is for runs with hooks.
            from headway.launch.exit_hooks import run_exit_hooks

            run_exit_hooks(hooks, end, code, f"{record.flow}/{record.run}", self.reporter)

    async def _begin(self, stack: AsyncExitStack, store: ObjectStore, local_code: Code) -> "_Begun":
        """A run of our own; whatever breaks it off from here on is written down as its end."""
        code = await asyncio.to_thread(self._ship, store) if self.remote else local_code
        packages = await asyncio.to_thread(self._ship_packages, store)
        holder = Holder.here(self.user)
        record = await asyncio.to_thread(self._claim, store, code, holder)
        await stack.enter_async_context(ended(store, record))
        await asyncio.to_thread(self._announce, store, record)
        lease = Lease(store, record.flow, record.run, holder)
        await asyncio.to_thread(lease.acquire)
        journal = Journal(store, record.flow, record.run, holder.id)
        journal.append(self._launched().decision())
        clones = await asyncio.to_thread(self._clones, store, record.run)
        scheduler = Scheduler(schedule_plan(self.request.graph), self._policies())
        return _Begun(record, code, packages, lease, journal, scheduler, clones)

    async def _go_on(self, stack: AsyncExitStack, store: ObjectStore, local_code: Code) -> "_Begun":
        """The run of another launcher, which is dead; until all is known of it, it stays as it is."""
        past = self.request.attaches
        assert past is not None, "asked only of a run that is attached to"
        packages = await asyncio.to_thread(self._ship_packages, store)
        holder = Holder.here(self.user)
        lease = Lease(store, past.flow, past.run, holder)
        await asyncio.to_thread(lease.acquire)
        try:
            plan = schedule_plan(self.request.graph)
            taken = await asyncio.to_thread(take_over, store, past, plan, self._policies(), holder.id)
            clones = await asyncio.to_thread(self._clones, store, past.run)
            if clones is not None:
                clones.recall(await asyncio.to_thread(past.records, taken.recorded))
        except BaseException:
            await asyncio.to_thread(lease.release)
            raise
        await stack.enter_async_context(ended(store, past.record))
        code = past.record.code if self.remote and past.record.code else local_code
        standing = taken.standing
        return _Begun(
            past.record,
            code,
            packages,
            lease,
            taken.journal,
            standing.scheduler,
            clones,
            standing,
            taken.recorded,
        )

    def _policies(self) -> dict[str, StepPolicy]:
        return {name: step.policy for name, step in self.steps.items()}

    def _launched(self) -> Launched:
        """What a launcher that takes this run over has to know."""
        request = self.request
        return Launched(
            request.namespace,
            request.max_workers,
            request.max_num_splits,
            request.max_log_size,
            request.forward_credentials,
            tuple(override.text for override in request.overrides),
            request.branch,
            request.production,
        )

    def _open_store(self) -> ObjectStore:
        store = open_store(self.choice.url, prefer_native=True)
        verify_conditions(store)
        return store

    def _ship(self, store: ObjectStore) -> Code:
        # What packs the code is for runs with pods.
        from headway.launch.shipping import bundle_limits, ship

        request = self.request
        limits = bundle_limits(self.configuration, request.package_suffixes, request.package_max_size)
        return ship(store, self.flow, request.origin, limits, self.reporter)

    def _ship_packages(self, store: ObjectStore) -> Mapping[str, Packages]:
        """What @pypi of the steps asks for, resolved and brought to where they run."""
        wanted = wanted_by(self.request.graph, self.remote, self.configuration)
        if not wanted:
            return {}
        # For flows that ask for packages.
        from headway.launch.packages.cache import PackageCache, cache_folder
        from headway.launch.packages.ship import ship_packages

        cache, anew = PackageCache(cache_folder()), self.request.packages_anew
        return ship_packages(store, self.flow, wanted, cache, self.reporter, anew=anew)

    async def _cluster(self, stack: AsyncExitStack) -> "Prepared":
        # aiohttp and msgspec cost 180 ms that a run without pods must not pay.
        from headway.executors.kubernetes.cluster import connect

        gangs = any(step.gang is not None for step in self.steps.values() if step.kubernetes is not None)
        namespaces = {settings.namespace for settings in self.remote.values()}
        return await connect(stack, namespaces, gangs=gangs, lends=self.request.forward_credentials)

    def _kubernetes(self, store: ObjectStore, record: RunRecord, cluster: "Prepared") -> Executor:
        from headway.executors.kubernetes.executor import DEFAULT_LIMIT, KubernetesExecutor

        limit = self.request.max_workers or DEFAULT_LIMIT
        env = {**child_environment(store.url), **self.told}
        lent = credentials_to_forward(store.url) if self.request.forward_credentials else None
        return KubernetesExecutor(cluster, store, record.flow, record.run, self.remote, env, limit, lent)

    def _local(self, store: ObjectStore, zygote: Zygote | None) -> Executor:
        limit = self.request.max_workers or _LOCAL_PER_CPU * _processors()
        return LocalExecutor(store, zygote, make_room(limit))

    def _claim(self, store: ObjectStore, code: Code, holder: Holder) -> RunRecord:
        request = self.request
        new = NewRun(
            request.graph,
            self.user,
            request.tags,
            code,
            request.parameters,
            request.given,
            Path(request.origin.code.root),
            self.project,
        )
        return claim(store, new, holder.id, request.resumes)

    def _clones(self, store: ObjectStore, run: str) -> Clones | None:
        """What the run takes over from the one that it resumes, if it does."""
        resumes, graph = self.request.resumes, self.request.graph
        if resumes is None:
            return None
        again = steps_again(graph, [resumes.step] if resumes.step is not None else [])
        return Clones(resumes.past, store, run, graph, again, self.request.max_num_splits)

    def _announce(self, store: ObjectStore, record: RunRecord) -> None:
        """Leave the run's id where people and scripts look for it; say what became of the last one."""
        before = left_open(record.flow, self.local_root, store) if self.request.past is None else None
        if before is not None:
            self.reporter.note(before)
        try:
            remember_run(self.local_root, store.url, record)
        except (OSError, StoreError) as error:
            # A courtesy: the run itself needs no folder here, which in a container may be read-only.
            self.reporter.note(f"The run is not noted in {self.local_root}: {error}")
        request = self.request
        leave_word(request.run_id_file, "--run-id-file", record.run)
        attributes = run_attributes(record, store.url)
        leave_word(request.runner_attribute_file, "--runner-attribute-file", attributes)

    def _batches(
        self, record: RunRecord, local_code: Code, code: Code, packages: Mapping[str, Packages]
    ) -> BatchFactory:
        steps = {
            name: StepRun(
                code=(local_code if step.kubernetes is None else code)._replace(packages=packages.get(name)),
                timeout=step.timeout,
                env=step.env,
                retries=step.retries,
                gang=step.gang,
                grace=float(step.kubernetes.termination_grace_period_seconds)
                if step.kubernetes
                else _LOCAL_GRACE,
                catch=step.catch,
                secrets=step.secrets,
                wrapping=step.wrapping,
                memory_steps=step.memory_steps,
            )
            for name, step in self.steps.items()
        }
        namespace = self.request.namespace if self.request.namespace is not None else f"user:{self.user}"
        return BatchFactory(
            record.flow,
            record.run,
            self.user,
            namespace,
            record.tags,
            steps,
            log_limit=self.request.max_log_size * 1_000_000,
            fallback_code=local_code,
            parameters=self.request.parameter_changes,
            origin=record.origin,
            project=self.project,
        )


def _processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
