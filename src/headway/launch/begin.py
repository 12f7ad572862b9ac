"""A run comes into this launcher's hands: one of its own, or one whose launcher died."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from msgspec import Struct

from headway.config.general import runtime_name
from headway.errors import StoreError
from headway.launch.attach import Launched, take_over
from headway.launch.claim import NewRun, claim
from headway.launch.clones import Clones, steps_again
from headway.launch.ending import ended
from headway.launch.index import leave_word, name_latest, remember_run, run_attributes
from headway.launch.journal import Journal
from headway.launch.keeper import take
from headway.launch.lease import Holder, Lease
from headway.launch.metaflow_folder import metaflow_folder
from headway.launch.outset import Outset
from headway.launch.packages.wanted import wanted_by
from headway.launch.past import PastRun
from headway.launch.reporter import Reporter
from headway.launch.resume import left_open
from headway.launch.standing import Standing
from headway.launch.steps import schedule_plan
from headway.schedule.scheduler import Scheduler
from headway.store.base import ObjectStore
from headway.store.batch import Code, Packages
from headway.store.records import AttemptRef
from headway.store.run_records import RunRecord


class Begun(Struct, frozen=True):
    """A run in this launcher's hands.

    Attributes:
        record: What is known of it.
        code: How its code is started where its steps run.
        packages: What ``@pypi`` of its steps brings, by step.
        lease: Says whose it is.
        journal: What happened to it.
        scheduler: Where it stands.
        clones: What it takes over from the run that it resumes, None where it resumes none.
        standing: Where another launcher left it, None for a run of our own.
        recorded: The attempts that have a record, as far as known.
    """

    record: RunRecord
    code: Code
    packages: Mapping[str, Packages]
    lease: Lease
    journal: Journal
    scheduler: Scheduler
    clones: Clones | None = None
    standing: Standing | None = None
    recorded: frozenset[AttemptRef] = frozenset()


class Beginning(Struct, frozen=True):
    """Brings a run into this launcher's hands.

    Attributes:
        outset: The run as it is meant to be.
        store: Its datastore.
        local_code: How the flow is started on this machine.
        reporter: Hears what a person should know.
    """

    outset: Outset
    store: ObjectStore
    local_code: Code
    reporter: Reporter

    async def begin(self, stack: AsyncExitStack) -> Begun:
        """A run of our own; whatever breaks the stack off from here on is written down as its end."""
        outset, store = self.outset, self.store
        code = await asyncio.to_thread(self._ship) if outset.remote else self.local_code
        packages = await asyncio.to_thread(self._ship_packages)
        holder = Holder.here(outset.user)
        record = await asyncio.to_thread(self._claim, code, holder)
        await stack.enter_async_context(ended(store, record))
        await asyncio.to_thread(self._announce, record)
        lease = Lease(store, record.flow, record.run, holder)
        await asyncio.to_thread(lease.acquire)
        journal = Journal(store, record.flow, record.run, holder.id)
        journal.append(self._launched().decision())
        clones = await asyncio.to_thread(self._clones, record.run)
        scheduler = Scheduler(schedule_plan(outset.request.graph), outset.policies)
        return Begun(record, code, packages, lease, journal, scheduler, clones)

    async def go_on(self, stack: AsyncExitStack, past: PastRun) -> Begun:
        """The run of another launcher, which is dead; until all is known of it, it stays as it is."""
        outset, store = self.outset, self.store
        packages = await asyncio.to_thread(self._ship_packages)
        holder = Holder.here(outset.user)
        lease = Lease(store, past.flow, past.run, holder)
        await take(lease, self.reporter.note)
        try:
            plan = schedule_plan(outset.request.graph)
            taken = await asyncio.to_thread(take_over, store, past, plan, outset.policies, holder.id)
            clones = await asyncio.to_thread(self._clones, past.run)
            if clones is not None:
                clones.recall(await asyncio.to_thread(past.records, taken.recorded))
        except BaseException:
            await asyncio.to_thread(lease.release)
            raise
        await stack.enter_async_context(ended(store, past.record))
        code = past.record.code if outset.remote and past.record.code else self.local_code
        standing = taken.standing
        return Begun(
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

    def _ship(self) -> Code:
        # What packs the code is for runs with pods.
        from headway.launch.shipping import bundle_limits, ship

        request = self.outset.request
        limits = bundle_limits(self.outset.configuration, request.package_suffixes, request.package_max_size)
        return ship(self.store, self.outset.flow, request.origin, limits, self.reporter, request.packaged())

    def _ship_packages(self) -> Mapping[str, Packages]:
        """What @pypi of the steps asks for, resolved and brought to where they run."""
        outset = self.outset
        wanted = wanted_by(outset.request.graph, outset.remote, outset.configuration)
        if not wanted:
            return {}
        # For flows that ask for packages.
        from headway.launch.packages.cache import PackageCache, cache_folder
        from headway.launch.packages.ship import ship_packages

        cache, anew = PackageCache(cache_folder()), outset.request.packages_anew
        return ship_packages(self.store, outset.flow, wanted, cache, self.reporter, anew=anew)

    def _claim(self, code: Code, holder: Holder) -> RunRecord:
        request = self.outset.request
        new = NewRun(
            request.graph,
            self.outset.user,
            request.tags,
            code,
            request.parameters,
            request.given,
            Path(request.origin.code.root),
            self.outset.project,
            request.triggers,
            runtime_name(self.outset.configuration),
        )
        return claim(self.store, new, holder.id, request.resumes)

    def _clones(self, run: str) -> Clones | None:
        """What the run takes over from the one that it resumes, if it does."""
        request = self.outset.request
        resumes, graph = request.resumes, request.graph
        if resumes is None:
            return None
        again = steps_again(graph, [resumes.step] if resumes.step is not None else [])
        return Clones(resumes.past, self.store, run, graph, again, request.max_num_splits)

    def _launched(self) -> Launched:
        """What a launcher that takes this run over has to know."""
        request = self.outset.request
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

    def _announce(self, record: RunRecord) -> None:
        """Leave the run's id where people and scripts look for it; say what became of the last one."""
        request, store, local_root = self.outset.request, self.store, self.outset.local_root
        before = left_open(record.flow, local_root, store) if request.past is None else None
        if before is not None:
            self.reporter.note(before)
        try:
            remember_run(local_root, store.url, record)
        except (OSError, StoreError) as error:
            # A courtesy: the run itself needs no folder here, which in a container may be read-only.
            self.reporter.note(f"The run is not noted in {local_root}: {error}")
        metaflows = metaflow_folder(self.outset.configuration, local_root)
        if metaflows is not None:
            try:
                name_latest(metaflows, record)
            except OSError as error:
                self.reporter.note(f"The run is not named in {metaflows}: {error}")
        leave_word(request.run_id_file, "--run-id-file", record.run)
        attributes = run_attributes(record, store.url)
        leave_word(request.runner_attribute_file, "--runner-attribute-file", attributes)
