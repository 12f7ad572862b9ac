"""A warm pod's whole life as a process: orders in its inbox, a folder for a datastore, and what is there afterwards."""

import json
import signal
import time
from pathlib import Path

import pytest
from pod_cases import INBOX, Pod
from runtime_cases import FLOW, RUN, make_batch, store_task

from headway.runtime.commit import commit, lost
from headway.runtime.worker import DONE, REFUSED
from headway.store import layout
from headway.store.batch import Batch, TaskSpec
from headway.store.folder import FolderStore
from headway.store.inbox import FAREWELL
from headway.store.logs import decode_note, parse_feed_key, parse_lines
from headway.store.records import FAILED, INFRASTRUCTURE, LOST, SUCCEEDED, AttemptRef, Failure, Record
from headway.store.run_records import RunEnd

FLOW_FILE = f"""
import os, random, sys, time
from headway import FlowSpec, current, step

imported = os.getpid()
print("imported")


class {FLOW}(FlowSpec):
    @step
    def start(self):
        self.pid, self.parent, self.imported = os.getpid(), os.getppid(), imported
        self.number = random.random()
        self.mine = current.task_id, current.retry_count
        print("task", current.task_id)
        self.next(self.middle)

    @step
    def middle(self):
        if current.task_id == "4":
            raise ValueError("not this one")
        if current.task_id == "5":
            os._exit(3)
        print("middle", current.task_id)
        self.next(self.slow)

    @step
    def twice(self):
        self.parent = os.getppid()
        self.doubled = 2 * self.number
        self.next(self.slow)

    @step
    def slow(self):
        print("begun", flush=True)
        time.sleep(60)
        self.next(self.end)

    @step
    def end(self):
        pass


{FLOW}()
"""


@pytest.fixture
def a_pod(tmp_path: Path) -> Pod:
    return Pod(tmp_path)


def order_of(pod: Pod, step: str, *tasks: str, **changes: object) -> Batch:
    code = pod.ship({"flow.py": FLOW_FILE})
    specs = tuple(TaskSpec(task, 0, index) for index, task in enumerate(tasks))
    return make_batch(step, code=code, **changes)._replace(tasks=specs)


def record(store: FolderStore, step: str, task: str) -> Record:
    return Record.decode(store.get(layout.record(FLOW, RUN, step, task, 0)))


def values(pod: Pod, step: str, task: str) -> dict[str, object]:
    from headway.store.artifacts import ArtifactStore

    return ArtifactStore(pod.store, FLOW).load_many(record(pod.store, step, task).artifacts)


def reported(store: FolderStore) -> list[Record]:
    """The records that the notes hold."""
    found = []
    for info in store.list(layout.feed(FLOW, RUN)):
        key = parse_feed_key(info.key)
        assert key is not None
        assert key.kind == "note"
        found += [Record.decode(each.record) for each in decode_note(store.get(info.key)) if each.record]
    return found


def wait_for(pod: Pod, key: str) -> None:
    until = time.monotonic() + 20
    while pod.store.size(key) is None:
        assert time.monotonic() < until, f"{key} did not come"
        time.sleep(0.02)


def test_orders_are_run_one_after_the_other_in_processes_of_their_own(a_pod: Pod) -> None:
    a_pod.order(0, order_of(a_pod, "start", "1", "2", "3"))
    a_pod.order(1, order_of(a_pod, "middle", "4", "5", "6"))
    a_pod.store.put(f"{INBOX}0/00000002.json", FAREWELL)
    process = a_pod.begin_warm(HEADWAY_POD_NAME="sample-start-1")
    out, err = process.communicate(timeout=30)
    assert process.returncode == DONE, err

    first, second, third = (values(a_pod, "start", task) for task in "123")
    assert len({first["pid"], second["pid"], third["pid"]}) == 3
    assert first["imported"] == first["parent"] == second["imported"] == third["imported"]
    assert len({first["number"], second["number"], third["number"]}) == 3
    assert first["mine"] == ("1", 0)
    assert third["mine"] == ("3", 0)
    # A failure of one task, or its sudden end, is its own affair.
    outcomes = [record(a_pod.store, "middle", task).outcome for task in "456"]
    assert outcomes == [FAILED, FAILED, SUCCEEDED]
    raised = record(a_pod.store, "middle", "4").failure
    assert raised is not None
    assert (raised.kind, raised.message) == ("user", "ValueError: not this one")
    log = a_pod.store.get(layout.log(FLOW, RUN, "middle", "6", 0, "stdout"))
    assert [line.text for line in parse_lines(log)] == ["middle 6"]
    assert record(a_pod.store, "start", "2").metadata["kubernetes-pod-name"] == "sample-start-1"
    assert int(record(a_pod.store, "start", "2").metadata["peak-memory"]) > 1_000_000
    # What is imported once is printed once, in the container's log.
    assert out.count("imported") == 1
    assert out.count("task") == 3
    # The launcher hears of all of them, with the records as they are.
    told = {each.ref: each for each in reported(a_pod.store)}
    assert len(told) == 6
    assert told[AttemptRef("start", "2", 0)] == record(a_pod.store, "start", "2")


def test_the_batches_of_one_order_are_run_each_with_what_it_says(a_pod: Pod) -> None:
    """The second step of a foreach's body: each task has its own task before it."""
    several = []
    for index in range(3):
        before = AttemptRef("start", str(index), 0)
        store_task(a_pod.store, before, {"number": index * 10})
        frames = (("start", "0", index, 3, None),)
        batch = order_of(a_pod, "twice", str(7 + index), inputs=(before,), frames=frames)
        several.append(batch._replace(tasks=(TaskSpec(str(7 + index), 0, index),)))
    a_pod.order(0, *several)
    a_pod.store.put(f"{INBOX}0/00000001.json", FAREWELL)
    process = a_pod.begin_warm()
    _, err = process.communicate(timeout=30)
    assert process.returncode == DONE, err
    assert [values(a_pod, "twice", task)["doubled"] for task in "789"] == [0, 20, 40]
    for index, batch in enumerate(several):
        found = record(a_pod.store, "twice", str(7 + index))
        assert (found.frames, found.inputs) == (batch.frames, batch.inputs)
    assert len({values(a_pod, "twice", task)["parent"] for task in "789"}) == 1
    assert len(reported(a_pod.store)) == 3


def test_a_worker_told_to_stop_begins_no_further_batch_of_its_order(a_pod: Pod) -> None:
    a_pod.order(0, order_of(a_pod, "slow", "1"), order_of(a_pod, "start", "2"))
    process = a_pod.begin_warm()
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(2)] == ["imported\n", "begun\n"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == REFUSED
    process.communicate()
    assert a_pod.store.size(layout.record(FLOW, RUN, "start", "2", 0)) is None


def test_an_idle_worker_leaves_and_says_so(a_pod: Pod) -> None:
    """``idle_timeout``."""
    a_pod.order(0, order_of(a_pod, "start", "1"))
    process = a_pod.begin_warm(HEADWAY_IDLE_TIMEOUT="0")
    assert process.wait(timeout=30) == DONE
    process.communicate()
    assert a_pod.store.get(f"{INBOX}0/00000001.json") == FAREWELL
    assert record(a_pod.store, "start", "1").outcome == SUCCEEDED


def test_an_order_that_comes_while_it_waits_is_taken(a_pod: Pod) -> None:
    a_pod.order(0, order_of(a_pod, "start", "1"))
    process = a_pod.begin_warm()
    wait_for(a_pod, layout.record(FLOW, RUN, "start", "1", 0))
    a_pod.order(1, order_of(a_pod, "middle", "2"))
    wait_for(a_pod, layout.record(FLOW, RUN, "middle", "2", 0))
    a_pod.store.put(f"{INBOX}0/00000002.json", FAREWELL)
    assert process.wait(timeout=30) == DONE
    process.communicate()


def test_told_to_stop_it_ends_the_task_that_runs_and_begins_no_other(a_pod: Pod) -> None:
    a_pod.order(0, order_of(a_pod, "slow", "1", "2"))
    process = a_pod.begin_warm()
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(2)] == ["imported\n", "begun\n"]
    words = json.loads((a_pod.folder / "words").read_text())
    assert words["running"] == ["slow", "1", 0]
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == REFUSED
    process.communicate()
    failure = record(a_pod.store, "slow", "1").failure
    assert failure is not None
    assert (failure.kind, failure.reason) == (INFRASTRUCTURE, "Terminated")
    assert a_pod.store.size(layout.record(FLOW, RUN, "slow", "2", 0)) is None


def test_a_time_limit_counts_for_each_task(a_pod: Pod) -> None:
    a_pod.order(0, order_of(a_pod, "slow", "1", timeout=0.2, grace=1.0))
    a_pod.order(1, order_of(a_pod, "start", "2"))
    a_pod.store.put(f"{INBOX}0/00000002.json", FAREWELL)
    process = a_pod.begin_warm()
    assert process.wait(timeout=30) == DONE
    process.communicate()
    failure = record(a_pod.store, "slow", "1").failure
    assert failure is not None
    assert failure.reason == "Timeout"
    assert record(a_pod.store, "start", "2").outcome == SUCCEEDED


def test_a_worker_that_has_run_for_its_time_begins_no_other_task(a_pod: Pod) -> None:
    """``active_deadline_seconds`` is what one task may take: the pod's deadline must not end the next one's."""
    a_pod.order(0, order_of(a_pod, "slow", "1", "2", timeout=1.0, grace=1.0))
    a_pod.order(1, order_of(a_pod, "start", "3"))
    process = a_pod.begin_warm(HEADWAY_POD_LIMIT="0.9")
    assert process.wait(timeout=30) == DONE
    process.communicate()
    assert record(a_pod.store, "slow", "1").failure is not None
    for step, task in (("slow", "2"), ("start", "3")):
        assert a_pod.store.size(layout.record(FLOW, RUN, step, task, 0)) is None
    words = json.loads((a_pod.folder / "words").read_text())
    assert (words["headway"], words["reason"]) == (1, "NotBegun")
    assert "begun tasks for 0.9 seconds" in words["message"]


def test_a_worker_of_a_certain_age_says_farewell(a_pod: Pod) -> None:
    a_pod.order(0, order_of(a_pod, "slow", "1", timeout=0.5, grace=1.0))
    process = a_pod.begin_warm(HEADWAY_POD_LIMIT="0.4")
    assert process.wait(timeout=30) == DONE
    process.communicate()
    assert a_pod.store.get(f"{INBOX}0/00000001.json") == FAREWELL


def test_a_worker_that_was_given_up_leaves_with_what_it_has_in_hand(a_pod: Pod) -> None:
    order = order_of(a_pod, "start", *map(str, range(1, 31)))
    verdict = lost(order, order.tasks[1], Failure(INFRASTRUCTURE, "NodeLost", "gone"), {}, 0.0)
    commit(a_pod.store, FLOW, RUN, verdict)
    a_pod.order(0, order)
    process = a_pod.begin_warm()
    assert process.wait(timeout=30) == REFUSED
    process.communicate()
    assert record(a_pod.store, "start", "2").outcome == LOST
    assert a_pod.store.size(layout.record(FLOW, RUN, "start", "30", 0)) is None


def test_nothing_begins_once_the_run_has_ended(a_pod: Pod) -> None:
    a_pod.store.put(layout.run_end(FLOW, RUN), RunEnd("failed", 0.0).encode())
    a_pod.order(0, order_of(a_pod, "start", "1"))
    process = a_pod.begin_warm()
    assert process.wait(timeout=30) == REFUSED
    process.communicate()
    assert a_pod.store.size(layout.record(FLOW, RUN, "start", "1", 0)) is None


@pytest.mark.parametrize(
    ("line", "failure"),
    [
        ("import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()", None),
        ("import nowhere_to_be_found", "ModuleMissing"),
        ("os._exit(9)", "Exit"),
    ],
)
def test_an_import_that_cannot_be_shared_is_each_tasks_own(
    a_pod: Pod, line: str, failure: str | None
) -> None:
    code = a_pod.ship({"flow.py": FLOW_FILE.replace('print("imported")', line)})
    a_pod.order(0, order_of(a_pod, "start", "1", "2")._replace(code=code))
    a_pod.store.put(f"{INBOX}0/00000001.json", FAREWELL)
    process = a_pod.begin_warm()
    assert process.wait(timeout=30) == DONE
    process.communicate()
    for task in "12":
        found = record(a_pod.store, "start", task).failure
        assert (found.reason if found else None) == failure
