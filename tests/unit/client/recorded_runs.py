"""Writes runs into a datastore the way the launcher and the runtime do, without running anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from headway.flow.graph import Graph, Node
from headway.runtime.commit import commit
from headway.runtime.state import PARAMETERS
from headway.store import layout
from headway.store.artifacts import ArtifactStore
from headway.store.base import ObjectStore
from headway.store.batch import Batch, Code, TaskSpec
from headway.store.logs import LOG, encode_chunk, encode_line, feed_key
from headway.store.records import FAILED, SUCCEEDED, ArtifactRef, AttemptRef, Failure, FrameTuple, Record
from headway.store.run_records import RunEnd, RunRecord

#: Seconds since the epoch at which every recorded run begins.
BEGUN = 1_800_000_000.0

GRAPH = Graph(
    "Digits",
    [
        Node("start", "foreach", ("train",), foreach="models"),
        Node("train", "linear", ("join",)),
        Node("join", "join", ("end",), takes_inputs=True),
        Node("end", "end"),
    ],
    "start",
    "end",
)


@dataclass
class RecordedRun:
    """A run whose objects are written one by one.

    Attributes:
        store: Where.
        run: Its id.
        flow: Its flow.
        user: Who started it.
        tags: The tags they gave.
        graph: Its graph.
        origin: The run it resumed.
        within: Whether small values stand in the records; otherwise each is an object, as large ones are.
    """

    store: ObjectStore
    run: str = "1"
    flow: str = "Digits"
    user: str = "ann"
    tags: tuple[str, ...] = ()
    graph: Graph = field(default_factory=lambda: GRAPH)
    origin: str | None = None
    within: bool = False
    record: RunRecord = field(init=False)

    def __post_init__(self) -> None:
        self.record = RunRecord(
            flow=self.flow,
            run=self.run,
            user=self.user,
            created=BEGUN,
            tags=self.tags,
            system_tags=(f"user:{self.user}", "runtime:dev"),
            graph=self.graph.to_json(),
            metadata={"headway_version": "0.1.0", "script-name": "digits.py"},
            origin=self.origin,
        )
        self.store.put_if_absent(layout.run_record(self.flow, self.run), self.record.encode())
        self.store.put(layout.flow_marker(self.flow), b"")
        self.attempt(PARAMETERS.step, PARAMETERS.task, values={"alpha": 0.5})

    def attempt(
        self,
        step: str,
        task: str,
        attempt: int = 0,
        values: Mapping[str, object] | None = None,
        failure: Failure | None = None,
        outcome: str | None = None,
        inputs: Sequence[tuple[str, str]] = (),
        frames: tuple[FrameTuple, ...] = (),
        metadata: Mapping[str, str] | None = None,
        stdout: Sequence[str] = (),
    ) -> AttemptRef:
        """An attempt that ended; it started a second after the task before and took two."""
        ref = AttemptRef(step, task, attempt)
        if stdout:
            lines = b"".join(encode_line(line.encode(), int(BEGUN * 1000)) for line in stdout)
            self.store.put(layout.log(self.flow, self.run, *ref, "stdout"), lines)
        started = BEGUN + int(task) + 100 * attempt
        record = Record(
            ref=ref,
            outcome=outcome or (SUCCEEDED if failure is None else FAILED),
            frames=frames,
            artifacts=self._saved(values or {}),
            failure=failure,
            metadata=dict(metadata or {}),
            started=started,
            ended=started + 2,
            inputs=tuple(AttemptRef(*pair, 0) for pair in inputs),
            log_lines={"stdout": len(stdout)} if stdout else {},
        )
        assert commit(self.store, self.flow, self.run, record) is record
        return ref

    def _saved(self, values: Mapping[str, object]) -> dict[str, ArtifactRef]:
        artifacts = ArtifactStore(self.store, self.flow)
        if self.within:
            return artifacts.save_many(values)
        return {name: artifacts.save(name, value) for name, value in values.items()}

    def running(self, step: str, task: str, attempt: int = 0, index: int = 0, **more: object) -> AttemptRef:
        """An attempt that was handed to a pod and has left no record."""
        name = f"{step}-{task}{attempt}"
        code = Code("path", "digits.py", ("__main__", self.flow))
        batch = Batch(self.flow, self.run, step, name, code, (TaskSpec(task, attempt, index),))
        self.store.put(layout.batch(self.flow, self.run, name), batch._replace(**more).encode())
        return AttemptRef(step, task, attempt)

    def report(self, ref: AttemptRef, seq: int, line: str, stream: str = "stdout") -> None:
        """A line that a running attempt sent."""
        ms = int(BEGUN * 1000) + seq
        lines = encode_chunk({stream: encode_line(line.encode(), ms)})
        self.store.put(feed_key(self.flow, self.run, ms, ref, seq, LOG), lines)

    def end(
        self, winners: Sequence[AttemptRef] = (), end: AttemptRef | None = None, outcome: str = ""
    ) -> None:
        """The run's end; with an end step's attempt it succeeded."""
        counted = {f"{ref.step}/{ref.task}": ref.attempt for ref in winners}
        said = outcome or (SUCCEEDED if end is not None else FAILED)
        record = RunEnd(said, BEGUN + 60, end, "", counted)
        self.store.put_if_absent(layout.run_end(self.flow, self.run), record.encode())


def digits(
    store: ObjectStore, run: str = "1", models: int = 3, ended: bool = True, **more: object
) -> RecordedRun:
    """A run of a foreach over models that succeeded, its first training at the second try."""
    recorded = RecordedRun(store, run, **more)  # type: ignore[arg-type]
    winners = [
        recorded.attempt("start", "1", values={"models": list(range(models))}, inputs=[PARAMETERS[:2]])
    ]
    recorded.attempt("train", "2", failure=BOOM)
    for number in range(models):
        winners.append(
            recorded.attempt(
                "train",
                str(2 + number),
                attempt=0 if number else 1,
                values={"score": number * 10, "alpha": 0.5, "_seed": number},
                inputs=[("start", "1")],
                frames=(("start", "1", number, models, "models"),),
                metadata={"kubernetes-pod-name": f"digits-train-{number}", "kubernetes-node-ip": "10.0.0.1"},
                stdout=[f"model {number}", "done"],
            )
        )
    trained = [("train", ref.task) for ref in winners[1:]]
    winners.append(recorded.attempt("join", str(2 + models), values={"best": 20}, inputs=trained))
    last = recorded.attempt("end", str(3 + models), values={"best": 20}, inputs=[("join", str(2 + models))])
    if ended:
        recorded.end([*winners, last], last)
    return recorded


BOOM = Failure(
    "user",
    "Exception",
    "ValueError: boom",
    "Try another seed.",
    "Traceback (most recent call last):\nValueError: boom\n",
    "ValueError",
)
