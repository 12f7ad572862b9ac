"""What the scheduler is told of an attempt that ended."""

from driven_runs import LINEAR, Told

from headway.launch.verdicts import Verdicts
from headway.schedule.events import AttemptFailed, RunStarted
from headway.schedule.scheduler import Scheduler
from headway.store.records import INFRASTRUCTURE, LOST, AttemptRef, Failure, Record


def test_it_is_told_for_how_long_the_attempt_had_run() -> None:
    scheduler = Scheduler(LINEAR, {})
    scheduler.handle(RunStarted())
    verdicts = Verdicts(scheduler, Told(), None, lambda _: None)
    failure = Failure(INFRASTRUCTURE, "NodeLost", "It is gone.")
    record = Record(AttemptRef("start", "1", 0), LOST, failure=failure, started=100.0, ended=4000.0)
    assert verdicts.of(record) == AttemptFailed(record.ref, failure, 4000.0, 3900.0)
    # By a clock that was set back meanwhile.
    assert verdicts.of(record._replace(ended=50.0)) == AttemptFailed(record.ref, failure, 50.0, 0.0)
