"""One attempt, start to end, in this process: bind the inputs, call the step, store what it made."""

import os
import sys
import time
from functools import partial
from typing import Any, Callable, Dict, Optional, Sequence

from headway.errors import HeadwayError, StoreConfigurationError, StoreUnavailableError
from headway.flow.current import Parallel, current
from headway.flow.spec import bind, call_step, functions_set, inherited, inputs_of, produced, transition_of
from headway.flow.task import Input, TaskContext
from headway.flow.task import Transition as Said
from headway.flow.transition import check_followed
from headway.runtime.channel import BEGUN, OVER, Report, provisional
from headway.runtime.commit import patiently
from headway.runtime.limits import StepTimeoutError, TimeLimit
from headway.runtime.state import PARAMETERS, AttemptArtifacts, sources
from headway.runtime.told import told_when_asked
from headway.store.artifacts import ArtifactStore
from headway.store.base import ObjectStore
from headway.store.batch import Batch, TaskSpec, Wrapping
from headway.store.records import (
    CONFIGURATION,
    EXIT_FOR_GOOD,
    FOR_GOOD,
    INFRASTRUCTURE,
    OUT_OF_MEMORY,
    RESOURCES,
    USER,
    ArtifactRef,
    AttemptRef,
    Failure,
    Transition,
)

#: Where this package stands, as the frames of its own code say it (relative where it was compiled ahead
#: for a pod), so that they are left out of what people read.
_OURS = os.path.dirname(os.path.dirname((lambda: None).__code__.co_filename)) + os.sep
#: Those of our files that stand between a person's decorator and the step that it is around.
_BETWEEN = frozenset(
    os.path.join(_OURS, "flow", name) for name in ("user_decorators.py", "wrappers.py", "wrapping.py")
)

#: Whose budget an exception spends that is not simply the person's own.
_KINDS = (
    (MemoryError, RESOURCES),
    (StoreUnavailableError, INFRASTRUCTURE),
    (StoreConfigurationError, CONFIGURATION),
)


def _unmarked(which: bytes) -> None:
    """Nobody watches the time from outside, or the report."""


def run_attempt(
    flow_class: Any,
    batch: Batch,
    task: TaskSpec,
    store: ObjectStore,
    mark: Callable[[bytes], None] = _unmarked,
) -> Report:
    """Run one task of a batch in this process.

    Nothing the step raises leaves this function: it becomes the report's failure, and the
    traceback is printed on stderr, the way Python prints it but without our own frames. What the
    step had set until then is stored as far as it goes.
    """
    flow = None
    try:
        flow = _bound(flow_class, batch, task, store)
        return _run(flow, batch, task, store, mark)
    except SystemExit as error:
        report = _exited(batch, error)
    except BaseException as error:
        report = Report(failure=_explain(batch, error))
    finally:
        _flush()
    # Here the exception, and with it what the step's frames held, is gone.
    if flow is None or not _is_stored(batch):
        return report
    from headway.runtime.salvage import with_what_was_set  # for steps that fail only

    try:
        return with_what_was_set(
            flow,
            batch,
            store,
            report._replace(failed=time.time()),
            lambda known: mark(provisional(known)),
        )
    finally:
        _flush()


def failed_report(batch: Batch, error: BaseException) -> Report:
    """The report of an attempt that failed before its step could begin."""
    if isinstance(error, SystemExit):
        return _exited(batch, error)
    report = Report(failure=_explain(batch, error))
    _flush()
    return report


def _bound(flow_class: Any, batch: Batch, task: TaskSpec, store: ObjectStore) -> Any:
    """The flow object of the task."""
    if batch.call is not None:
        from headway.flow.calling import class_of  # for tasks of pipelines

        flow_class = class_of(batch.flow, batch.step, batch.call)
    if batch.parameters:
        from headway.flow.given_members import give_parameters  # for flows that mutators gave parameters

        give_parameters(flow_class, batch.parameters)
    flow = bind(flow_class, _context(batch, task, store))
    _tell_current(flow_class, batch, task, store)
    return flow


def _is_stored(batch: Batch) -> bool:
    """Whether what the step makes is for others to see."""
    return batch.spun is None or batch.spun.persist


def _run(
    flow: Any, batch: Batch, task: TaskSpec, store: ObjectStore, mark: Callable[[bytes], None]
) -> Report:
    caught = False
    try:
        said = _call(flow, batch, task, store, mark)
    except Exception as error:
        if batch.catch is None:
            raise
        # For steps that fail and are caught only.
        from headway.runtime.catching import catch, catches

        failure = _failure_of(batch, error)
        if not catches(batch, task, failure):
            raise
        said, caught = catch(flow, batch, error, failure), True
    transition = Transition(said.targets, said.foreach, said.splits) if said else None
    if not _is_stored(batch):
        return Report(transition=transition, caught=caught)
    # What a call of a pipeline returns is asked for, and stays an error where it cannot be stored.
    functions = functions_set(flow) if batch.call is None else {}
    if functions:
        from headway.runtime.functions import leave_out  # for steps that set functions only

        leave_out(flow, functions)
    # Of a step that looked at none of them, even their places are still to be read.
    artifacts: Dict[str, ArtifactRef] = patiently(lambda: dict(inherited(flow)))
    made = produced(flow)
    if caught:
        from headway.runtime.salvage import without_unpicklable  # as above

        made = without_unpicklable(made)
        if batch.call is not None:
            # Who takes the outputs of a call that failed and is caught finds None.
            made = {**dict.fromkeys(batch.call.outputs), **made}
    artifacts.update(patiently(lambda: ArtifactStore(store, batch.flow).save_many(made, artifacts.values())))
    return Report(artifacts=artifacts, transition=transition, caught=caught)


def _call(
    flow: Any, batch: Batch, task: TaskSpec, store: ObjectStore, mark: Callable[[bytes], None]
) -> Optional[Said]:
    """Call the step within its time; in its fallback, nothing of it is called."""
    if batch.fallback:
        from headway.runtime.catching import fallback_error  # as above

        raise fallback_error(store, batch, task)
    if batch.secrets is not None:
        # For steps with secrets only.
        from headway.runtime.secrets import set_secrets

        set_secrets(batch.secrets, os.environ)
    mark(BEGUN)
    try:
        with TimeLimit(batch.step, batch.timeout):
            said = call_step(flow) if batch.wrapping is None else _call_wrapped(flow, batch, batch.wrapping)
    finally:
        mark(OVER)
    if batch.targets:
        if said is None and batch.gang is not None:
            # A rank may return when its part is done; there is but one way on from a gang.
            said = Said(batch.targets)
        check_followed(batch.step, batch.targets, said, batch.leads)
    if batch.catch is not None and batch.catch.var is not None:
        setattr(flow, batch.catch.var, None)
    return said


def _call_wrapped(flow: Any, batch: Batch, wrapping: Wrapping) -> Optional[Said]:
    # For steps only that have decorators of the flow's own.
    from headway.flow.wrappers import call_told

    inputs = inputs_of(flow) if batch.join else None
    call_told(flow, batch.step, inputs, wrapping.decorators, wrapping.next)
    return transition_of(flow)


def _context(batch: Batch, task: TaskSpec, store: ObjectStore) -> TaskContext:
    """What the step inherits, and for a join the inputs it chooses from."""
    frames = batch.frames_of(task)
    read: Callable[[Sequence[AttemptRef]], Sequence[AttemptArtifacts]]
    if batch.spun is None:
        read = partial(sources, store, batch.flow, batch.run)
    else:
        # For tasks that are done again alone only.
        from headway.runtime.spun import sources_elsewhere

        read = sources_elsewhere(batch, batch.spun, store)
    if batch.call is not None:
        from headway.runtime.called import without_constants  # for tasks of pipelines

        needed = [Input(ref.step, source) for ref, source in zip(batch.inputs, read(batch.inputs))]
        return TaskContext(without_constants(read([PARAMETERS])[0]), batch.step, frames, inputs=needed)
    if not batch.join:
        return TaskContext(read(batch.inputs[:1])[0], batch.step, frames)
    parameters = read([PARAMETERS])[0]
    several = read(batch.inputs)
    inputs = [Input(ref.step, source, source.frames) for ref, source in zip(batch.inputs, several)]
    return TaskContext(parameters, batch.step, frames, inputs=inputs)


def _tell_current(flow_class: Any, batch: Batch, task: TaskSpec, store: ObjectStore) -> None:
    current._begin(
        lazy=told_when_asked(flow_class, batch, task, store),
        flow_name=batch.flow,
        run_id=batch.run,
        step_name=batch.step,
        task_id=task.task,
        retry_count=task.attempt,
        origin_run_id=batch.origin,
        # As in Metaflow: whose the run is, wherever `run --namespace` has the client look.
        namespace=f"user:{batch.user}",
        sees=batch.namespace,
        username=batch.user,
        tags=set(batch.tags),
    )
    memory = os.environ.get("HEADWAY_TMPFS")
    if memory and not (os.environ.get("HEADWAY_TEMPDIR") or os.environ.get("METAFLOW_TEMPDIR")):
        current._extend(tempdir=memory)
    notice = os.environ.get("HEADWAY_SPOT_NOTICE")
    if notice:
        current._extend(spot_termination_notice=notice)
    if batch.gang is not None:
        rank = batch.tasks.index(task)
        current._extend(parallel=Parallel(batch.gang.address, len(batch.tasks), rank, batch.tasks[0].task))
    if batch.project is not None:
        current._extend(**batch.project.told())


def _exited(batch: Batch, error: SystemExit) -> Report:
    if error.code is None or isinstance(error.code, int):
        code = int(error.code or 0)
    else:
        code = 1
        _print(f"{error.code}\n")
    return Report(
        exited=code,
        failure=_exit(
            code,
            f"Step {batch.step} called sys.exit({code}) before it was done.",
            "Return from the step after self.next(…) instead; a step that exits has no result.",
        ),
    )


def _exit(code: Optional[int], message: str, hint: str) -> Failure:
    """The failure of a step that ended by an exit code; one of them asks for no other attempt."""
    if code == EXIT_FOR_GOOD:
        return Failure(
            USER, FOR_GOOD, message, "With this code a step is not tried again, whatever @retry says."
        )
    return Failure(USER, "Exit", message, hint)


#: Characters of an exception's first line that people are told; its traceback has all of it.
_LONGEST = 2000

_MORE_MEMORY = (
    "Hold less at a time, or ask for more with @kubernetes(memory=…) or @resources(memory=…), or in resources= where "
    "that says it; @retry(on_oom=2) raises memory= by itself."
)

_NO_TERMINAL = (
    "breakpoint() asks a terminal, and a step has none. An IDE that debugs `run --max-workers=1` stops in steps on "
    "this machine, as it follows the processes that a program starts."
)

#: How the lines of a traceback begin that are not the exception's own words.
_TRACE = ("Traceback (most", "  File ", "    ")


def _explain(batch: Batch, error: BaseException) -> Failure:
    failure = _failure_of(batch, error)
    told = failure.traceback
    if isinstance(error, HeadwayError):
        # Our own words are the failure's message, which people are told next: the log says where, if anywhere.
        told = (
            "".join(line for line in told.splitlines(True) if line.startswith(_TRACE))
            if "\n  " in told
            else ""
        )
    _print(told)
    return failure


def _failure_of(batch: Batch, error: BaseException) -> Failure:
    text = _format(error)
    kind = next((kind for of, kind in _KINDS if isinstance(error, of)), USER)
    from headway.runtime.type_names import type_name  # for attempts that fail only

    name = type_name(error).replace("builtins.", "")
    if isinstance(error, StepTimeoutError):
        return Failure(USER, "Timeout", error.message, error.hint or "", text, name)
    if isinstance(error, ModuleNotFoundError):
        return Failure(USER, "ModuleMissing", f"{name}: {error}", _missing_module(error), text, name)
    if isinstance(error, HeadwayError):
        return Failure(kind, "Exception", error.message, error.hint or "", text, name)
    message = _first_line(error)
    told = f"{name}: {message}" if message else name
    if isinstance(error, MemoryError):
        # More memory mends it, so it has the account of that, and grows where the step says so.
        return Failure(kind, OUT_OF_MEMORY, told, _MORE_MEMORY, text, name)
    return Failure(kind, "Exception", told, _NO_TERMINAL if name == "bdb.BdbQuit" else "", text, name)


def _missing_module(error: ModuleNotFoundError) -> str:
    package = (error.name or "the module").partition(".")[0]
    where = os.environ.get("HEADWAY_IMAGE")
    if where:
        return (
            f"The image {where} does not have {package}. Let it travel with @pypi(packages={{…}}), "
            "name an image that has it with @kubernetes(image=…), or, if it is code of yours, keep it in the "
            "flow's folder or import it in the flow file; `package list` shows what ships."
        )
    return (
        f"{package} is not installed in the environment that runs this step: {sys.executable}. "
        "@pypi(packages={…}) on the step brings it."
    )


def _format(error: BaseException) -> str:
    """The traceback without our frames: those above the person's code, and all where the error is our own words."""
    trace = error.__traceback__
    start = trace
    while start is not None and start.tb_frame.f_code.co_filename.startswith(_OURS):
        start = start.tb_next
    import traceback  # for attempts that fail only

    frames = traceback.extract_tb(start)
    # A missing artifact is the person's mistake too, though it is our code that finds it missing.
    ours = isinstance(error, AttributeError) and bool(frames) and frames[-1].filename.startswith(_OURS)
    if not ours and not isinstance(error, (HeadwayError, SyntaxError)):
        whole = traceback.TracebackException(type(error), error, start or trace)
        _leave_out(whole)
        return "".join(whole.format())
    frames = traceback.StackSummary(frame for frame in frames if not frame.filename.startswith(_OURS))
    if not frames and isinstance(error, HeadwayError):
        return f"{error}\n"
    head = ["Traceback (most recent call last):\n", *traceback.format_list(frames)] if frames else []
    return "".join([*head, *traceback.format_exception_only(type(error), error)])


def _leave_out(told: Any) -> None:
    """Take the frames out by which a person's decorator calls a person's step."""
    left = [told]
    while left:
        each = left.pop()
        left += [other for other in (each.__cause__, each.__context__) if other is not None]
        each.stack[:] = [frame for frame in each.stack if frame.filename not in _BETWEEN]


def _first_line(error: BaseException) -> str:
    try:
        lines = str(error).strip().splitlines()
    except Exception:
        return ""
    first = lines[0] if lines else ""
    return first if len(first) <= _LONGEST else f"{first[:_LONGEST]}…"


def _print(text: str) -> None:
    try:
        sys.stderr.write(text)
    except (OSError, ValueError, AttributeError):
        # The step closed or replaced its streams; what it failed of stands in its record all the same.
        _ = None


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            # The step closed or replaced its streams; there is nothing left to flush.
            _ = None


#: Signals that end a process for what its own machine code did.
_CRASHES = (4, 6, 7, 8, 11)


def unreported(step: str, code: Optional[int], signal_number: Optional[int]) -> Failure:
    """The failure of a process that ended without a report, as far as its exit tells."""
    if signal_number is not None:
        return by_signal(step, signal_number)
    return _exit(
        code,
        f"The process of step {step} ended with exit code {code} and left no result.",
        "Something called os._exit, or the interpreter itself failed; its last log lines may tell.",
    )


def by_signal(step: str, number: int) -> Failure:
    """The failure of a process that a signal ended."""
    if number == 9:
        return Failure(
            RESOURCES,
            "Killed",
            f"The process of step {step} was killed (SIGKILL).",
            "Usually by the kernel when memory ran out: ask for more with memory=…, or look for what sends SIGKILL.",
        )
    import signal  # only for its names, on a path taken once

    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    said = signal.strsignal(number)
    # "Segmentation fault" is what people and their tools look for.
    name += f" ({said.lower()})" if said and number in _CRASHES else ""
    hint = (
        "A native library crashed; run the step with PYTHONFAULTHANDLER=1 to see where."
        if number in _CRASHES
        else ""
    )
    if number == 7:
        # As data loaders with worker processes do.
        shared = "Usually /dev/shm is full, by which processes share memory: in a container it holds 64 MiB unless "
        hint = f"{shared}@kubernetes(shared_memory=…) says more. Else: {hint}"
    return Failure(USER, "Signal", f"The process of step {step} was ended by {name}.", hint)
