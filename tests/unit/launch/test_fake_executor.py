"""The fake executor keeps what every executor promises, and does what its script says."""

import pytest

from headway.executors.base import Broken, Ended, Started, Waiting
from headway.store.batch import Code
from headway.store.records import INFRASTRUCTURE, USER, ArtifactRef, Failure, Transition
from headway.testing.executor_suite import LIMIT, LINES, ExecutorSuite, refs_of
from headway.testing.fake_executor import Act, FakeExecutor
from headway.testing.memory_store import MemoryStore


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def code() -> Code:
    return Code("path", "flow.py", ("__main__", "SuiteFlow"))


@pytest.fixture
def executor(store: MemoryStore) -> FakeExecutor:
    fake = FakeExecutor(store, LIMIT)
    out = [("stdout", f"out {number}") for number in range(LINES)]
    err = [("stderr", f"err {number}") for number in range(LINES)]
    made = ArtifactRef("0" * 64, 1, "str")
    fake.script(Act(outcome=Transition(("prints",)), artifacts={"made": made}), "succeeds")
    fake.script(Act(outcome=Failure(USER, "Exception", "ValueError: it fails")), "fails")
    fake.script(Act(prints=(*out, ("stdout", "unfinished"), *err)), "prints")
    fake.script(Act(held=True), "waits")
    fake.script(Act(prints=(("stdout", "cannot hear"),), held=True, deaf=True), "deaf")
    return fake


class TestFakeExecutor(ExecutorSuite):
    """The suite."""

    async def test_the_most_particular_act_is_played(
        self, executor: FakeExecutor, store: MemoryStore, code: Code
    ) -> None:
        heard = await self.opened(executor, store)
        batch = self.batch(code, "step", tasks=3)
        second = batch.tasks[1]
        trouble = Failure(INFRASTRUCTURE, "Evicted", "The node was drained.")
        executor.script(Act(outcome=Transition(("of all",))), "step")
        executor.script(Act(outcome=trouble), "step", second.task)
        executor.script(Act(outcome=Transition(("of its second attempt",))), "step", second.task, 1)
        again = batch._replace(name="again", tasks=(second._replace(attempt=1),))
        await executor.start(batch)
        await executor.start(again)
        records = await heard.end_of(*refs_of(batch), *refs_of(again))
        await executor.close()
        of_all = Transition(("of all",))
        assert [record.transition for record in records] == [
            of_all,
            None,
            of_all,
            Transition(("of its second attempt",)),
        ]
        assert records[1].failure == trouble

    async def test_held_attempts_go_on_when_released(
        self, executor: FakeExecutor, store: MemoryStore, code: Code
    ) -> None:
        heard = await self.opened(executor, store)
        batch = self.batch(code, "waits", tasks=LIMIT)
        first, second = refs_of(batch)
        await executor.start(batch)
        await heard.until(lambda: len(heard.of(Started)) == LIMIT, "both starts")
        assert executor.running == (first, second)
        executor.release(second)
        await heard.end_of(second)
        assert not heard.of(Ended, first)
        executor.release()
        await heard.end_of(first)
        await executor.close()

    async def test_an_attempt_can_be_released_before_it_begins(
        self, executor: FakeExecutor, store: MemoryStore, code: Code
    ) -> None:
        heard = await self.opened(executor, store)
        batch = self.batch(code, "waits")
        executor.release(*refs_of(batch))
        await executor.start(batch)
        await heard.end_of(*refs_of(batch))
        await executor.close()

    async def test_it_tells_of_trouble_and_keeps_what_was_asked(
        self, executor: FakeExecutor, store: MemoryStore
    ) -> None:
        heard = await self.opened(executor, store)
        error = RuntimeError("gone")
        executor.wait_for("Datastore", "It does not answer.", "train")
        executor.break_down(error)
        await executor.close(now=True)
        assert heard.events == [Waiting("train", None, "Datastore", "It does not answer."), Broken(error)]
        assert (executor.opened, executor.closed) == (True, [True])
