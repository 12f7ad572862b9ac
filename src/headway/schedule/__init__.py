"""The pure state machine: events in, instructions out.

The launcher tells the scheduler what happened (:mod:`~headway.schedule.events`) and does what it
answers (:mod:`~headway.schedule.instructions`). Nothing here knows time, disk, network or
Kubernetes, and nothing is random: the same events always give the same instructions, so a
launcher that takes over a run replays the journal into a fresh scheduler and stands where the
first one stood.

What it need not know of:

* **resume**: the launcher answers a ``StartBatch`` whose tasks succeeded in the origin run with
  ``AttemptSucceeded`` right away, once their records are cloned; the scheduler needs no new event.
* **packing**: an instruction carries whole batches, so an executor may put several tasks into one
  pod without the scheduler's knowledge; each attempt still reports its own end.
"""

from headway.schedule.events import (
    AttemptCancelled,
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    Event,
    RetriesDue,
    RetryDue,
    RunStarted,
    StopRequested,
    UnexpectedEventError,
)
from headway.schedule.instructions import (
    INTERRUPTED,
    CancelAttempts,
    Instruction,
    RunEnded,
    ScheduleRetry,
    StartBatch,
)
from headway.schedule.plan import Plan, PlanNode, StepPolicy
from headway.schedule.scheduler import Scheduler
from headway.schedule.tasks import StepCounts

__all__ = [
    "INTERRUPTED",
    "AttemptCancelled",
    "AttemptFailed",
    "AttemptStarted",
    "AttemptSucceeded",
    "CancelAttempts",
    "Event",
    "Instruction",
    "Plan",
    "PlanNode",
    "RetriesDue",
    "RetryDue",
    "RunEnded",
    "RunStarted",
    "ScheduleRetry",
    "Scheduler",
    "StartBatch",
    "StepCounts",
    "StepPolicy",
    "StopRequested",
    "UnexpectedEventError",
]
