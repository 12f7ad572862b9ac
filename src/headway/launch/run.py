"""Runs a flow: the one place where configuration, scheduler, executors, journal and datastore are wired."""

import asyncio
from contextlib import AsyncExitStack, nullcontext

from headway.config.general import may_fork
from headway.config.sources import Configuration
from headway.executors.base import Executor
from headway.executors.local.zygote import Zygote, warm_parent
from headway.launch.begin import Beginning
from headway.launch.driver import Driver
from headway.launch.ending import ended, interruptible, record_end
from headway.launch.executors import kubernetes_executor, local_executor, prepare_cluster
from headway.launch.keeper import kept
from headway.launch.origin import local_code
from headway.launch.outset import Outset, settle
from headway.launch.reporter import Reporter
from headway.launch.request import RunRequest
from headway.launch.step_runs import batch_factory
from headway.launch.stopping import heeded
from headway.launch.usage import Usage
from headway.store.batch import Code
from headway.store.run_records import RunEnd, RunRecord


def run_flow(request: RunRequest, configuration: Configuration, reporter: Reporter) -> RunEnd:
    """Run a flow to its end.

    Everything that can be found wrong before a task exists is found before a task exists.

    Returns:
        How it ended.

    Raises:
        HeadwayError: It could not be run.
    """
    forks = may_fork(configuration)
    outset = settle(request, configuration, reporter)
    with local_code(request.origin) as code:
        warm = warm_parent(code, outset.choice.url) if forks and outset.has_local_steps else nullcontext()
        with warm as zygote:
            return asyncio.run(_drive(outset, code, zygote, reporter))


async def _drive(outset: Outset, local_code: Code, zygote: Zygote | None, reporter: Reporter) -> RunEnd:
    """From what can be found wrong beforehand to the record of the run's end."""
    request = outset.request
    async with AsyncExitStack() as stack:
        cluster = await prepare_cluster(outset, stack, reporter.note) if outset.remote else None
        store = await asyncio.to_thread(outset.open_store)
        beginning = Beginning(outset, store, local_code, reporter)
        if request.attaches is None:
            begun = await beginning.begin(stack)
        else:
            begun = await beginning.go_on(stack, request.attaches)
        record = begun.record
        executors: dict[str, Executor] = {}
        local = local_executor(outset, store, zygote)
        if outset.has_local_steps:
            executors.update(dict.fromkeys(outset.steps, local))
        if cluster is not None:
            far = kubernetes_executor(outset, store, record, cluster)
            executors.update(dict.fromkeys(outset.remote, far))
        usage = Usage(outset.remote)
        driver = Driver(
            begun.scheduler,
            executors,
            batch_factory(outset, record, begun.code, begun.packages, local_code),
            begun.journal,
            reporter,
            request.max_num_splits,
            fallbacks=local if any(step.catch for step in outset.steps.values()) else None,
            clones=begun.clones,
            clone_only=request.resumes is not None and request.resumes.clone_only,
            heard=usage.add,
        )
        stack.enter_context(interruptible(driver, reporter))
        await stack.enter_async_context(kept(begun.lease, driver.fail))
        # Once more: what breaks the run off is written before the lease is given back, and nobody can come between.
        await stack.enter_async_context(ended(store, record))
        await stack.enter_async_context(heeded(store, record.flow, record.run, driver.stop))
        reporter.run_started(record, attached=request.attaches is not None)
        said = await driver.run(begun.standing, begun.recorded)
        winners = begun.scheduler.winners()
        end = await asyncio.to_thread(record_end, store, record, said, winners, reporter.note)
    for line in usage.lines():
        reporter.note(line)
    reporter.run_ended(end)
    await asyncio.to_thread(_exit_hooks, outset, end, record, local_code, reporter)
    return end


def _exit_hooks(outset: Outset, end: RunEnd, record: RunRecord, code: Code, reporter: Reporter) -> None:
    hooks = [spec for spec in outset.request.graph.decorators if spec.name == "exit_hook"]
    if hooks:
        # The client is for runs with hooks.
        from headway.launch.exit_hooks import run_exit_hooks

        run_exit_hooks(hooks, end, code, f"{record.flow}/{record.run}", reporter)
