"""What the scheduler is told of an attempt that ended."""

from driven_runs import LINEAR, Told

from headway.launch.verdicts import Verdicts
from headway.schedule.events import AttemptFailed, RunStarted
from headway.schedule.instructions import StartBatch
from headway.schedule.plan import Plan, PlanNode
from headway.schedule.scheduler import Scheduler
from headway.store.records import FAILED, INFRASTRUCTURE, LOST, USER, AttemptRef, Failure, Record


def test_it_is_told_for_how_long_the_attempt_had_run() -> None:
    scheduler = Scheduler(LINEAR, {})
    scheduler.handle(RunStarted())
    verdicts = Verdicts(scheduler, Told(), None, lambda _: None)
    failure = Failure(INFRASTRUCTURE, "NodeLost", "It is gone.")
    record = Record(AttemptRef("start", "1", 0), LOST, failure=failure, started=100.0, ended=4000.0)
    assert verdicts.of(record) == AttemptFailed(record.ref, failure, 4000.0, 3900.0)
    # By a clock that was set back meanwhile.
    assert verdicts.of(record._replace(ended=50.0)) == AttemptFailed(record.ref, failure, 50.0, 0.0)


class Asked(Scheduler):
    """Counts how often it is asked whether something is decided."""

    times = 0

    def undecided(self, ref: AttemptRef) -> bool:
        self.times += 1
        return super().undecided(ref)


def test_the_failing_ranks_of_a_gang_cost_the_same_each_and_are_told_in_their_order() -> None:
    ranks = 200
    plan = Plan.of("train", [PlanNode("train", gang=True, nodes=ranks, end=True)])
    scheduler, told = Asked(plan, {}), Told()
    verdicts = Verdicts(scheduler, told, None, lambda _: None)
    (batch,) = scheduler.handle(RunStarted())
    assert isinstance(batch, StartBatch)
    assert len(batch.tasks) == ranks
    for number, task in enumerate(batch.tasks):
        assert not told.of("attempt_ended"), "what follows depends on the others"
        ref = AttemptRef("train", task.task, 0)
        failure = Failure(USER, "Exception", "It broke.")
        event = verdicts.of(Record(ref, FAILED, failure=failure, started=0.0, ended=1000.0 - number))
        verdicts.decided(event, scheduler.handle(event))
    ended = [record.ended for record, _ in told.of("attempt_ended")]
    assert ended == [1000.0 - number for number in reversed(range(ranks))]
    assert scheduler.times <= 2 * ranks
