"""What the scheduler asks for, as a batch."""

from headway.launch.batches import BatchFactory, StepRun
from headway.schedule.instructions import StartBatch
from headway.store.batch import Batch, Code, Gang, TaskSpec
from headway.store.records import AttemptRef

CODE = Code("path", "flow.py", ("__main__", "Sample"), root="/flows")
POD_CODE = CODE._replace(bundle="0" * 64, root="")


def test_a_batch_is_what_was_asked_for_with_how_the_step_runs() -> None:
    train = StepRun(POD_CODE, timeout=60.0, env={"A": "1"}, retries=3, grace=45.0)
    factory = BatchFactory(
        "Sample", "7", "ann", "user:ann", ("blue",), {"start": StepRun(CODE), "train": train}, 10.0, 5000
    )
    start = StartBatch(
        step="train",
        frames=(("start", "1", 0, 2, "items"),),
        inputs=(AttemptRef("start", "1", 0),),
        tasks=(TaskSpec("2", 0, 0), TaskSpec("3", 1, 1)),
        join=False,
        name="train-2",
    )
    batch = factory.make(start)
    assert batch == Batch(
        flow="Sample",
        run="7",
        step="train",
        name="train-2",
        code=POD_CODE,
        tasks=start.tasks,
        frames=start.frames,
        inputs=start.inputs,
        join=False,
        timeout=60.0,
        env={"A": "1"},
        user="ann",
        tags=("blue",),
        namespace="user:ann",
        retries=3,
        grace=45.0,
        orphan_limit=10.0,
        log_limit=5000,
    )
    assert Batch.decode(batch.encode()) == batch


def test_a_gang_knows_where_it_meets() -> None:
    factory = BatchFactory("Sample", "7", "ann", "", (), {"train": StepRun(POD_CODE, gang=Gang(29500, 60.0))})
    start = StartBatch(
        "train", (), (), (TaskSpec("2", 0), TaskSpec("2_node_1", 0)), False, "train-2", gang=True
    )
    batch = factory.make(start)
    assert batch.gang == Gang(29500, 60.0)
    assert Batch.decode(batch.encode()) == batch


def test_each_step_has_its_own_code() -> None:
    factory = BatchFactory("Sample", "7", "ann", "", (), {"start": StepRun(CODE), "train": StepRun(POD_CODE)})
    codes = [factory.make(StartBatch(step, (), (), (), False, step)).code for step in ("start", "train")]
    assert codes == [CODE, POD_CODE]
