"""Plays the pods of the fake cluster: each does, in a word or two, what the in-pod runtime would do."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from headway.errors import KeyNotFoundError
from headway.runtime.channel import Report
from headway.runtime.commit import commit, record_of, store_logs
from headway.runtime.logbook import Logbook, StampedLine
from headway.runtime.pod import REFUSED
from headway.store import layout
from headway.store.artifacts import ArtifactStore
from headway.store.base import ObjectStore
from headway.store.batch import Batch
from headway.store.logs import END, LOG, encode_chunk, feed_key
from headway.store.records import USER, AttemptRef, Failure, Transition
from headway.testing.executor_suite import LINES
from headway.testing.fake_kubernetes import FakeKubernetes

INDEX = "batch.kubernetes.io/job-completion-index"

Play = Callable[["PlayedPod"], None]


class PlayedPod:
    """One pod: what it was told, and what it can do.

    Attributes:
        name: Its name.
        batch: What it is to do.
        ref: Which attempt it makes.
    """

    def __init__(self, player: "PodPlayer", manifest: dict[str, Any]) -> None:
        self.name: str = manifest["metadata"]["name"]
        self._player = player
        self._store = player.store
        env = {item["name"]: item.get("value", "") for item in manifest["spec"]["containers"][0]["env"]}
        index = int(manifest["metadata"]["annotations"].get(INDEX, "0"))
        key, place = layout.task_place(env["HEADWAY_BATCH"], index)
        self.batch = Batch.decode(self._store.get(key))
        self.task = self.batch.tasks[place]
        self.ref = AttemptRef(self.batch.step, self.task.task, self.task.attempt)
        self.book = Logbook(clock=player.now)
        self._reports = 0

    def begin(self) -> None:
        """Run, unless the attempt has a record."""
        try:
            self._store.get(layout.record(self.batch.flow, self.batch.run, *self.ref))
        except KeyNotFoundError:
            self._player.fake.pod_running(self.name)
            return
        words = json.dumps({"headway": 1, "reason": "Refused", "message": "It has a result.", "hint": ""})
        self._player.fake.pod_failed(self.name, REFUSED, message=words)

    def print(self, text: str, stream: str = "stdout") -> None:
        """Print lines and report them."""
        self.report(LOG, self.book.feed(stream, text.encode()))

    def report(self, kind: str, lines: list[StampedLine]) -> None:
        """Write a feed object."""
        streams: dict[str, bytes] = {}
        for line in lines:
            streams[line.stream] = streams.get(line.stream, b"") + line.encode()
        ms = int(self._player.now() * 1000)
        key = feed_key(self.batch.flow, self.batch.run, ms, self.ref, self._reports, kind)
        self._reports += 1
        self._store.put(key, encode_chunk(streams))

    def commit(self, report: Report | None = None, failure: Failure | None = None) -> None:
        """Store the log and the record."""
        self.book.finish()
        store_logs(self._store, self.batch, self.task, self.book)
        now = self._player.now()
        facts = {"kubernetes-pod-name": self.name}
        done = record_of(self.batch, self.task, report, failure, facts, now, now, self.book.lines)
        commit(self._store, self.batch.flow, self.batch.run, done)

    def succeed(self, *targets: str, **artifacts: object) -> None:
        """End well: commit, announce, exit."""
        refs = ArtifactStore(self._store, self.batch.flow).save_many(artifacts)
        self.commit(Report(refs, Transition(targets)))
        self.report(END, [])
        self._player.fake.pod_succeeded(self.name)

    def fail(self, failure: Failure) -> None:
        """End badly, with a record that says why."""
        self.commit(failure=failure)
        self.report(END, [])
        self._player.fake.pod_failed(self.name)


class PodPlayer:
    """Gives every pod that the fake cluster makes a life, by its step.

    Args:
        fake: The cluster.
        store: The datastore.
        now: Seconds since the epoch.

    Attributes:
        plays: What pods of a step do once they run; those of a step that is not named do nothing.
        pods: Every pod that began, in order.
        held: Whether pods are left as they were made, for the test to move.
    """

    def __init__(self, fake: FakeKubernetes, store: ObjectStore, now: Callable[[], float]) -> None:
        self.fake = fake
        self.store = store
        self.now = now
        self.pods: list[PlayedPod] = []
        self.held = False
        self.plays: dict[str, Play] = {
            "succeeds": lambda pod: pod.succeed("prints", made="by succeeds"),
            "fails": lambda pod: pod.fail(Failure(USER, "Exception", "ValueError: it fails")),
            "prints": _print_lines,
            "deaf": lambda pod: pod.print("cannot hear\n"),
        }
        fake.state.listeners.append(self._changed)

    def by_ref(self, ref: AttemptRef) -> PlayedPod:
        """The pod that makes an attempt."""
        return next(pod for pod in self.pods if pod.ref == ref)

    def play(self, pod: PlayedPod) -> None:
        """Let a pod run and do what its step does."""
        pod.begin()
        running = {
            each["metadata"]["name"] for each in self.fake.pods() if each["status"]["phase"] == "Running"
        }
        if pod.name in running:
            self.plays.get(pod.batch.step, lambda _: None)(pod)

    def _changed(self, change: Any) -> None:
        if change.resource == "pods" and change.type == "ADDED":
            asyncio.get_running_loop().call_soon(self._made, change.object)

    def _made(self, manifest: dict[str, Any]) -> None:
        if "containers" not in manifest["spec"] or manifest["metadata"]["name"] not in self.fake.pod_names():
            # Another launcher's, or gone.
            return
        pod = PlayedPod(self, manifest)
        self.pods.append(pod)
        if not self.held:
            self.play(pod)


def _print_lines(pod: PlayedPod) -> None:
    for number in range(LINES):
        pod.print(f"out {number}\n")
        pod.print(f"err {number}\n", "stderr")
    pod.print("unfinished")
    pod.succeed("succeeds")
