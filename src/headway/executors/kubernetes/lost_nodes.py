"""Notices nodes that are gone in a minute: Kubernetes itself takes its pods away after five.

Where nodes may be read, those with pods of ours are asked about. Where they may not, the node controller
tells all the same: it marks the pods of a silent node as not ready. Neither is proof that the pod is dead,
as a node may have lost only the control plane: what counts is whether the pod still writes its beat.

The cluster takes most of that minute to find out that a node is silent. Where few pods run, their beats are
listened to all the time, so that by then it is known whether they still come; where many do, only those on
silent nodes are, from then on.

What it costs: every ten seconds at most twenty small reads, which the API server answers from its memory, and none of
its list of nodes, of which each brings ten kilobytes and more. Where pods stand on more nodes than that, these have
their turns, and the node controller's mark, which the watch of pods brings for all of them, is usually first. What the
server remembers may be old, or be older than what it said before: such an answer tells of a silent node too late, or
begins to doubt a pod whose beats then speak for it.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from headway.errors import StoreError
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import ApiError, Forbidden, NotFound
from headway.executors.kubernetes.api.kinds import NODE
from headway.executors.kubernetes.api.types import Node
from headway.executors.kubernetes.settle import Beat
from headway.executors.kubernetes.tracked import Attempt, Jobs, TrackedJob
from headway.store.batch import Batch
from headway.store.records import INFRASTRUCTURE, AttemptRef, Failure

#: Seconds between two looks.
_ROUND = 5.0
#: Seconds between two questions about the nodes, and between two listenings to the pods where these are few.
_ASK = _LISTEN = 10.0
#: How many pods are few.
_FEW = 20
#: Nodes that are asked about at a time; where there are more, they have their turns.
_AT_A_TIME = 20
#: Seconds without another beat, by our own clock, after which a pod on a silent node counts as dead: two beats and more.
_SILENCE = 38.0


class Witness(Protocol):
    """Whom it tells."""

    def standing(self, job: TrackedJob, attempt: Attempt | None, reason: str, message: str) -> None: ...

    def over(self, job: TrackedJob, attempt: Attempt, failure: Failure) -> None: ...


class _Heard(NamedTuple):
    """What a pod said last, None where it never did, and since when it is known here, by our clock."""

    beat: Beat | None
    since: float


class LostNodes:
    """Looks after the nodes of the pods that run.

    Args:
        client: The cluster.
        jobs: All Jobs in hand.
        witness: Whom to tell.
        beat: Reads an attempt's last beat, None where there is none; blocking.
    """

    def __init__(
        self,
        client: KubernetesClient,
        jobs: Jobs,
        witness: Witness,
        beat: Callable[[Batch, AttemptRef], Beat | None],
    ) -> None:
        self._client = client
        self._jobs = jobs
        self._witness = witness
        self._beat = beat
        self._may_see_nodes = True
        self._asked = self._listened = 0.0
        #: Nodes that do not answer, and why that is thought.
        self._silent: dict[str, str] = {}
        #: The nodes that were asked about, the earliest first.
        self._order: list[str] = []
        #: What attempts said last, of which anything was heard.
        self._heard: dict[AttemptRef, _Heard] = {}
        #: Attempts on silent nodes that were told of.
        self._told: set[AttemptRef] = set()

    async def run(self) -> None:
        """The loop; until it is cancelled."""
        while True:
            await asyncio.sleep(_ROUND)
            running = [
                (job, attempt)
                for job, attempt in self._jobs.attempts()
                if attempt.started and attempt.node and not (attempt.settling or attempt.cancelled)
            ]
            refs = {attempt.ref for _, attempt in running}
            self._heard = {ref: heard for ref, heard in self._heard.items() if ref in refs}
            self._told &= refs
            now = self._client.clock.monotonic()
            if running and self._may_see_nodes and now - self._asked >= _ASK:
                self._asked = now
                await self._ask_about({attempt.node for _, attempt in running})
            if len(running) <= _FEW and now - self._listened >= _LISTEN:
                self._listened = now
                await asyncio.gather(*(self._listen(*each) for each in running))
            for job, attempt in running:
                why = self._silent.get(attempt.node) or (
                    "does not answer the cluster" if attempt.unready else ""
                )
                if why:
                    await self._judge(job, attempt, why)
                elif attempt.ref in self._told:
                    self._told.discard(attempt.ref)
                    self._witness.standing(job, attempt, "", "")

    async def _ask_about(self, names: set[str]) -> None:
        known = [name for name in self._order if name in names]
        line = [*sorted(names.difference(known)), *known]
        # Whether one answers again is of more interest, as its pods are about to be given up; the others have turns too.
        doubtful = [name for name in line if name in self._silent][: _AT_A_TIME // 2]
        chosen = [*doubtful, *(name for name in line if name not in doubtful)][:_AT_A_TIME]
        try:
            found = await asyncio.gather(*map(self._read, chosen))
        except Forbidden:
            self._may_see_nodes = False
            return
        except ApiError:
            # Nothing is decided by a cluster that does not answer itself.
            return
        self._order = [*(name for name in line if name not in chosen), *chosen]
        others = {name: why for name, why in self._silent.items() if name in names and name not in chosen}
        self._silent = others | silent(chosen, [node for node in found if node is not None])

    async def _read(self, name: str) -> Node | None:
        try:
            return await self._client.get(NODE, None, name, cached=True)
        except NotFound:
            return None

    async def _listen(self, job: TrackedJob, attempt: Attempt) -> bool:
        """Note whether another beat came; False where that cannot be known."""
        try:
            beat = await asyncio.to_thread(self._beat, job.batch, attempt.ref)
        except StoreError:
            # Its pod may not reach the datastore either: whether it beats is not known until that is well again.
            self._heard[attempt.ref] = _Heard(None, self._client.clock.monotonic())
            return False
        known = self._heard.get(attempt.ref)
        if known is None or known.beat != beat:
            # What time a beat tells is its node's affair: that it comes is what counts.
            self._heard[attempt.ref] = _Heard(beat, self._client.clock.monotonic())
        return True

    async def _judge(self, job: TrackedJob, attempt: Attempt, why: str) -> None:
        if attempt.ref not in self._told:
            self._told.add(attempt.ref)
            words = f"the node {attempt.node} {why}; the pod is given up unless it is heard of"
            self._witness.standing(job, attempt, "NodeSilent", words)
        if not await self._listen(job, attempt) or attempt.settling:
            return
        since = self._client.clock.monotonic() - self._heard[attempt.ref].since
        if since <= _SILENCE:
            return
        job.live_pods.discard(attempt.pod)
        self._witness.over(
            job,
            attempt,
            Failure(
                INFRASTRUCTURE,
                "NodeLost",
                f"The node {attempt.node} of the pod {attempt.pod} {why}, and nothing was heard of the pod for "
                f"{since:.0f} seconds.",
                "Whatever the pod still does will not count: its attempt is given up.",
            ),
        )


def silent(names: Iterable[str], found: Iterable[Node]) -> dict[str, str]:
    """Of the named nodes those that are gone or do not answer, with words for it."""
    by_name = {node.metadata.name: node for node in found}
    gone: dict[str, str] = {}
    for name in names:
        node = by_name.get(name)
        if node is None:
            gone[name] = "is gone"
        elif any(item.type == "Ready" and item.status == "Unknown" for item in node.status.conditions):
            gone[name] = "does not answer the cluster"
    return gone
