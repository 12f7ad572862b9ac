"""What the scheduler asks the launcher to do."""

from msgspec import Struct

from headway.store.batch import TaskSpec
from headway.store.records import AttemptRef, FrameTuple

#: The third way a run can end, beside the records' *succeeded* and *failed*.
INTERRUPTED = "interrupted"


class StartBatch(Struct, frozen=True):
    """Start these attempts of one step, together.

    Attributes:
        step: The step all of them belong to.
        frames: The fan-out the tasks stand in, outermost first; in the last frame each task's own
            index takes the place of the one given.
        inputs: The winning attempts that lead here: one, or for a join all of them in split order.
        tasks: Task, attempt and index of each, by index.
        join: Whether the step takes ``inputs``.
        name: Unique in the run: "train-3".
        fallback: The step's code has failed for good; these attempts take its place.
        gang: Whether the tasks are the ranks of one gang, in order: all run at the same time, or none does.
            Who answers for tasks from elsewhere (a resumed run) answers for all ranks, or for none.
        grown: How often these tasks ran out of memory so far, where each time gives them more.
    """

    step: str
    frames: tuple[FrameTuple, ...]
    inputs: tuple[AttemptRef, ...]
    tasks: tuple[TaskSpec, ...]
    join: bool
    name: str
    fallback: bool = False
    gang: bool = False
    grown: int = 0


class ScheduleRetry(Struct, frozen=True):
    """After so many seconds (and jitter), say ``RetryDue`` or ``RetriesDue`` with this ref.

    Attributes:
        ref: The attempt to come; rank 0's stands for its whole gang.
        delay: Seconds; 0 means that only attempts failing at the same time are waited for.
        fallback: The attempt to come is the step's fallback.
    """

    ref: AttemptRef
    delay: float
    fallback: bool = False


class CancelAttempts(Struct, frozen=True):
    """Stop these attempts and tell the end of each: cancelled, failed, or succeeded after all."""

    refs: tuple[AttemptRef, ...]
    reason: str


class RunEnded(Struct, frozen=True):
    """Nothing runs and nothing will: the last instruction of a run.

    Attributes:
        outcome: succeeded, failed or interrupted.
        end_ref: The winning attempt of the end step, if it succeeded.
        message: Why the run did not succeed, for people; "" if it did.
        failed_ref: The attempt whose failure ended the run, if one did.
        hint: What to do about it, or "".
    """

    outcome: str
    end_ref: AttemptRef | None = None
    message: str = ""
    failed_ref: AttemptRef | None = None
    hint: str = ""


Instruction = StartBatch | ScheduleRetry | CancelAttempts | RunEnded
