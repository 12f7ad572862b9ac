"""Plays warm pods: each reads its inbox and does for its tasks, in a word or two, what the in-pod runtime would do."""

import asyncio
import json
from typing import Any

from pod_player import INDEX, PlayedPod, PodPlayer

from headway.errors import KeyNotFoundError
from headway.runtime.channel import Report
from headway.runtime.commit import commit, record_of, store_logs
from headway.runtime.logbook import Logbook, StampedLine
from headway.store import layout
from headway.store.artifacts import ArtifactStore
from headway.store.batch import Batch, TaskSpec
from headway.store.inbox import Inbox
from headway.store.logs import END, NOTE, Section, encode_note, feed_key
from headway.store.records import AttemptRef, Failure, Record, Transition


class WarmPod:
    """One warm pod.

    Attributes:
        name: Its name.
        tasks: The tasks that it began, in order.
        left: Whether it said or read the farewell.
    """

    def __init__(self, player: "WarmPlayer", manifest: dict[str, Any], env: dict[str, str]) -> None:
        self.name: str = manifest["metadata"]["name"]
        self.player = player
        self.tasks: list[PackedTask] = []
        self.left = False
        self.idle_timeout = float(env["HEADWAY_IDLE_TIMEOUT"])
        index = manifest["metadata"]["annotations"].get(INDEX, "0")
        self.inbox = Inbox(player.store, f"{env['HEADWAY_INBOX']}{index}/")
        self._notes = 0

    @property
    def runs(self) -> bool:
        """Whether it is there, and running."""
        return any(
            each["metadata"]["name"] == self.name and each["status"]["phase"] == "Running"
            for each in self.player.fake.pods()
        )

    async def live(self) -> None:
        """Orders until the farewell."""
        self.player.fake.pod_running(self.name)
        while self.runs:
            order = await self._next()
            if not order:
                return
            for batch in order:
                for task in batch.tasks:
                    if self.runs:
                        await self._run(batch, task)

    async def _next(self) -> tuple[Batch, ...]:
        waited = 0.0
        while self.runs:
            letter = self.inbox.look()
            left = letter is None and waited > self.idle_timeout and self.inbox.leave()
            if left or (letter is not None and not letter.order):
                self.left = True
                self.player.fake.pod_succeeded(self.name)
                return ()
            if letter is not None:
                return letter.order
            await asyncio.sleep(0.05)
            waited += 0.05
        return ()

    async def _run(self, batch: Batch, spec: TaskSpec) -> None:
        task = PackedTask(self, batch, spec)
        self.tasks.append(task)
        self.player.pods.append(task)
        self.note(Section(task.ref, {}, begun=True))
        self.player.plays.get(batch.step, lambda _: None)(task)
        while self.runs and not task.over:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    def note(self, section: Section) -> None:
        """Write a note with one section."""
        batch = self.tasks[-1].batch
        ref = AttemptRef("_pod", self.name, 0)
        key = feed_key(batch.flow, batch.run, int(self.player.now() * 1000), ref, self._notes, NOTE)
        self._notes += 1
        self.player.store.put(key, encode_note([section]))

    def killed(self, reason: str = "OOMKilled", code: int = 137) -> None:
        """The kernel ends the whole container; what runs stands in its termination message."""
        words = json.dumps({"headway": 1, "running": self.tasks[-1].ref})
        self.player.fake.pod_failed(self.name, code, reason, message=words)


class PackedTask(PlayedPod):
    """One task in a warm pod.

    Attributes:
        pod: The pod.
        over: Whether it has ended.
    """

    def __init__(self, pod: WarmPod, batch: Batch, spec: TaskSpec) -> None:
        self.pod = pod
        self.name = pod.name
        self._player = pod.player
        self._store = pod.player.store
        self.batch = batch
        self.task = spec
        self.ref = AttemptRef(batch.step, spec.task, spec.attempt)
        self.book = Logbook(clock=pod.player.now)
        self._reports = 0
        self.over = False
        self._record = b""

    def report(self, kind: str, lines: list[StampedLine]) -> None:
        streams: dict[str, bytes] = {}
        for line in lines:
            streams[line.stream] = streams.get(line.stream, b"") + line.encode()
        self.pod.note(Section(self.ref, streams, self._record if kind == END else b""))

    def commit(self, report: Report | None = None, failure: Failure | None = None) -> None:
        rest = self.book.finish()
        store_logs(self._store, self.batch, self.task, self.book)
        now = self._player.now()
        facts = {"kubernetes-pod-name": self.name, "python-version": "3.11.0"}
        done = record_of(self.batch, self.task, report, failure, facts, now - 0.01, now, self.book.lines)
        self._record = commit(self._store, self.batch.flow, self.batch.run, done).encode()
        self.report("lines", rest)

    def succeed(self, *targets: str, **artifacts: object) -> None:
        refs = ArtifactStore(self._store, self.batch.flow).save_many(artifacts)
        self.commit(Report(refs, Transition(targets)))
        self.report(END, [])
        self.over = True

    def fail(self, failure: Failure) -> None:
        self.commit(failure=failure)
        self.report(END, [])
        self.over = True

    def record(self) -> Record | None:
        """Its record, None where it has none."""
        try:
            return Record.decode(self._store.get(layout.record(self.batch.flow, self.batch.run, *self.ref)))
        except KeyNotFoundError:
            return None


class WarmPlayer(PodPlayer):
    """Gives pods with an inbox their lives, and the others theirs.

    Attributes:
        warm: Every warm pod that began, in order.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.warm: list[WarmPod] = []
        self._lives: set[asyncio.Task[None]] = set()

    def _made(self, manifest: dict[str, Any]) -> None:
        env = {item["name"]: item.get("value", "") for item in manifest["spec"]["containers"][0]["env"]}
        if "HEADWAY_INBOX" not in env:
            super()._made(manifest)
        elif manifest["metadata"]["name"] in self.fake.pod_names():
            pod = WarmPod(self, manifest, env)
            self.warm.append(pod)
            if not self.held:
                self.begin(pod)

    def begin(self, pod: WarmPod) -> None:
        """Let a warm pod run."""
        life = asyncio.ensure_future(pod.live())
        self._lives.add(life)
        life.add_done_callback(self._lives.discard)

    async def stop(self) -> None:
        """End every life."""
        for life in self._lives:
            life.cancel()
        await asyncio.gather(*self._lives, return_exceptions=True)
