"""Small batches, stores and flow classes that the tests of the runtime share."""

from typing import Any

from headway.flow.spec import FlowSpec
from headway.flow.step import step
from headway.runtime.attempt import run_attempt
from headway.runtime.channel import Report
from headway.runtime.commit import commit
from headway.runtime.state import PARAMETERS
from headway.store.artifacts import ArtifactStore
from headway.store.base import ObjectStore
from headway.store.batch import Batch, Code, TaskSpec
from headway.store.records import SUCCEEDED, AttemptRef, Failure, FrameTuple, Record

FLOW, RUN = "Sample", "7"
CODE = Code("path", "sample.py", ("__main__", FLOW))


def make_batch(step: str = "start", tasks: int = 1, **changes: Any) -> Batch:
    """A batch of a step whose tasks are numbered from 1; its input are the parameters."""
    values: dict[str, Any] = {
        "name": f"{step}-1",
        "code": CODE,
        "tasks": tuple(TaskSpec(str(1 + index), 0, index) for index in range(tasks)),
        "inputs": (PARAMETERS,),
        "user": "ann",
        **changes,
    }
    return Batch(flow=FLOW, run=RUN, step=step, **values)


def store_task(
    store: ObjectStore, ref: AttemptRef, artifacts: dict[str, object], frames: tuple[FrameTuple, ...] = ()
) -> None:
    """Write the record of an attempt that succeeded with these artifacts, each an object as large ones are."""
    saved = ArtifactStore(store, FLOW)
    places = {name: saved.save(name, value) for name, value in artifacts.items()}
    commit(store, FLOW, RUN, Record(ref, SUCCEEDED, frames=frames, artifacts=places))


def loaded(store: ObjectStore, report: Report) -> dict[str, object]:
    """The values of the artifacts that a report names."""
    return ArtifactStore(store, FLOW).load_many(report.artifacts)


def run_body(store: ObjectStore, body: Any, **changes: Any) -> Report:
    """Run a function as the step ``start`` of a flow."""

    class Sample(FlowSpec):
        start = step(body)

    batch = make_batch(**changes)
    return run_attempt(Sample, batch, batch.tasks[0], store)


def failure_of(store: ObjectStore, body: Any, **changes: Any) -> Failure:
    """Run a function as a step that must fail."""
    failure = run_body(store, body, **changes).failure
    assert failure is not None
    return failure
