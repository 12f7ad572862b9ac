"""``spin``: one task of an earlier run is done again, alone, on this machine; nothing of that run is touched.

What it reads is the earlier run's; what it makes goes to a folder of its own, as a run of one task.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from msgspec import Struct, field

from headway.client.places import SPIN_FOLDER
from headway.config.general import branch_owner
from headway.config.general import user as configured_user
from headway.config.sources import Configuration
from headway.errors import UsageError
from headway.executors.local.executor import LocalExecutor
from headway.executors.local.zygote import warm_parent
from headway.flow.graph import Graph
from headway.launch.batches import BatchFactory, StepRun
from headway.launch.claim import NewRun, claim
from headway.launch.clones import BlobCopier
from headway.launch.driver import Driver
from headway.launch.ending import ended, interruptible, record_end
from headway.launch.index import leave_word, run_attributes
from headway.launch.journal import Journal
from headway.launch.lease import Holder
from headway.launch.origin import Origin, local_code
from headway.launch.past import PastRun
from headway.launch.project import resolve_project
from headway.launch.reporter import Reporter
from headway.launch.spin_task import choose_task, spun_graph
from headway.launch.steps import plan_steps
from headway.schedule.instructions import StartBatch
from headway.schedule.plan import Plan, PlanNode
from headway.schedule.scheduler import Scheduler
from headway.store import layout
from headway.store.base import ObjectStore
from headway.store.batch import Batch, Spun, TaskSpec
from headway.store.folder import FolderStore
from headway.store.records import SUCCEEDED, AttemptRef, Record
from headway.store.run_records import RunEnd, RunRecord

#: The number of the one task.
_TASK = "1"


class SpinRequest(Struct, frozen=True):
    """What is to be done again, as a person asked for it.

    Attributes:
        graph: The flow's graph as it is now, late decorators attached.
        origin: How the flow was started here.
        past: The earlier run.
        step: The step.
        task: The task there, None for the one that failed last, else the newest.
        skip_decorators: ``--skip-decorators``: no decorator has a say.
        artifacts: ``--artifacts-module``: a file with values that take the place of inputs.
        persist: ``--persist``: what the task makes is kept.
        max_log_size: ``--max-log-size`` in MB.
        run_id_file: Where the id is written of the run that the task becomes.
        runner_attribute_file: Where that, the flow, the task and their place are written, as JSON.
        parameter_changes: Parameters that the flow's mutators gave it or took.
        branch: ``--branch``, for flows with ``@project``.
        production: ``--production``, likewise.
    """

    graph: Graph
    origin: Origin
    past: PastRun
    step: str
    task: str | None = None
    skip_decorators: bool = False
    artifacts: str | None = None
    persist: bool = False
    max_log_size: int = 10
    run_id_file: str | None = None
    runner_attribute_file: str | None = None
    parameter_changes: Mapping[str, str] = field(default_factory=dict)
    branch: str | None = None
    production: bool = False


class _SpunBatches(BatchFactory, frozen=True):
    """Gives the one task the place of the earlier one, and its inputs."""

    record: Record = Record(AttemptRef("", "", 0), SUCCEEDED)
    spun: Spun = Spun("", "", "")

    def make(self, start: StartBatch) -> Batch:
        frames = self.record.frames
        index = frames[-1][2] if frames else 0
        batch = BatchFactory.make(self, start)
        tasks = tuple(task._replace(index=index) for task in batch.tasks)
        return batch._replace(tasks=tasks, frames=frames, inputs=self.record.inputs, spun=self.spun)


def spin_folder(configuration: Configuration) -> Path:
    """Where what is done again is kept: under DATASTORE_SYSROOT_SPIN, else here."""
    root = configuration.get("DATASTORE_SYSROOT_SPIN")
    return Path(str(root.value) if root is not None else configuration.cwd) / SPIN_FOLDER


def spin(request: SpinRequest, configuration: Configuration, reporter: Reporter) -> RunEnd:
    """Do one task again.

    Returns:
        How it ended.

    Raises:
        NotFoundError: The earlier run has no such task.
        UsageError: The step cannot be done alone.
    """
    user = configured_user(configuration)
    graph, unheard = spun_graph(request.graph, request.step, request.skip_decorators)
    record = choose_task(request.past, graph[request.step], request.task)
    artifacts = _artifacts_file(request.artifacts)
    step = plan_steps(graph, configuration)[request.step]
    project = resolve_project(graph, branch_owner(configuration, user), request.branch, request.production)
    past = request.past
    reporter.note(
        f"Does again, here and alone, what {past.pathspec}/{record.ref.step}/{record.ref.task} did."
    )
    if unheard:
        reporter.note(f"Decorators without a say in this: {', '.join(unheard)}.")
    folder = spin_folder(configuration)
    with local_code(request.origin) as code, warm_parent(code, str(folder)) as zygote:
        store = FolderStore(str(folder))
        holder = Holder.here(user)
        new = NewRun(request.graph, user, (), code, {}, past.record.parameters, None, project)
        run = claim(store, new, holder.id, None)
        batches = _SpunBatches(
            run.flow,
            run.run,
            user,
            f"user:{user}",
            (),
            {
                step.name: StepRun(
                    code,
                    step.timeout,
                    step.env,
                    secrets=step.secrets,
                    wrapping=step.wrapping,
                    # As it was: what the task took is known by its place among what that call needed.
                    call=past.graph[step.name].call if step.name in past.graph else None,
                )
            },
            log_limit=request.max_log_size * 1_000_000,
            parameters=request.parameter_changes,
            project=project,
            record=record,
            spun=Spun(
                past.store.url, past.run, record.ref.task, record.ref.attempt, request.persist, artifacts
            ),
        )
        journal = Journal(store, run.flow, run.run, holder.id)
        plan = Plan.of(step.name, [PlanNode(step.name, (), graph[step.name].takes_inputs, True)])
        local = LocalExecutor(store, zygote, 1)
        driver = Driver(Scheduler(plan, {}), {step.name: local}, batches, journal, reporter)
        return asyncio.run(_drive(request, store, run, driver, batches, reporter))


async def _drive(
    request: SpinRequest,
    store: ObjectStore,
    run: RunRecord,
    driver: Driver,
    batches: _SpunBatches,
    reporter: Reporter,
) -> RunEnd:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(ended(store, run))
        _announce(request, store, run, batches)
        stack.enter_context(interruptible(driver, reporter))
        said = await driver.run()
        end = said.end_ref
        if end is not None and request.persist:
            made = Record.decode(store.get(layout.record(run.flow, run.run, *end)))
            # What the task only passes on is read from the same place as what it made.
            BlobCopier(request.past, store)(made.artifacts.values())
        winners = {f"{end.step}/{end.task}": end.attempt} if end is not None else {}
        return record_end(store, run, said, winners)


def _announce(request: SpinRequest, store: ObjectStore, run: RunRecord, batches: _SpunBatches) -> None:
    """Make the task known before it begins, and leave word of it for whoever waits."""
    node = request.graph[request.step]
    first = StartBatch(
        node.name, (), (), (TaskSpec(_TASK, 0),), join=node.takes_inputs, name=f"{node.name}-1"
    )
    store.put(layout.batch(run.flow, run.run, first.name), batches.make(first).encode())
    leave_word(request.run_id_file, "--run-id-file", run.run)
    attributes = run_attributes(run, store.url, step_name=node.name, task_id=_TASK)
    leave_word(request.runner_attribute_file, "--runner-attribute-file", attributes)


def _artifacts_file(path: str | None) -> str:
    if path is None:
        return ""
    if not Path(path).is_file():
        raise UsageError(
            f"--artifacts-module={path}: there is no such file.",
            'Name a Python file that says ARTIFACTS = {"name": value}.',
        )
    return str(Path(path).absolute())
