"""What became of a job's pods; kept when the pods themselves are gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from headway.localcluster.controllers.failure_policy import judge
from headway.localcluster.objects.meta import Object, parse_timestamp, uid_of

INDEX = "batch.kubernetes.io/job-completion-index"


@dataclass(frozen=True)
class Ended:
    """A pod that ended.

    Attributes:
        index: Its completion index; None in a job without.
        succeeded: Whether it succeeded.
        action: What the failure policy made of its failure.
        message: The policy's words.
        at: When, epoch seconds.
    """

    index: int | None
    succeeded: bool
    action: str
    message: str
    at: float


@dataclass
class Ledger:
    """The ended pods of one job, by uid; each is counted once, whatever becomes of the object.

    Attributes:
        ended: What is known.
        forgotten: Pods that the controller took away by itself; how they end counts for nothing.
    """

    ended: dict[str, Ended] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)

    def observe(self, job: Object, pod: Object, now: float, *, gone: bool = False) -> None:
        """Take note of a pod's state.

        Args:
            job: The job.
            pod: One of its pods.
            now: Epoch seconds.
            gone: Whether the pod is no longer there.
        """
        uid = uid_of(pod)
        if uid in self.ended or uid in self.forgotten:
            return
        phase = pod["status"].get("phase")
        if phase == "Succeeded":
            self.ended[uid] = Ended(index_of(pod), True, "", "", _finished(pod, now))
        elif phase == "Failed" or gone or _counts_as_failed(job, pod):
            verdict = judge(job["spec"].get("podFailurePolicy"), pod)
            self.ended[uid] = Ended(
                index_of(pod), False, verdict.action, verdict.message, _finished(pod, now)
            )

    def succeeded(self) -> list[Ended]:
        """The pods that succeeded."""
        return [entry for entry in self.ended.values() if entry.succeeded]

    def failed(self) -> list[Ended]:
        """The pods whose failure counts."""
        return [entry for entry in self.ended.values() if not entry.succeeded and entry.action != "Ignore"]

    def all_failed(self) -> list[Ended]:
        """The pods that failed, counting or not."""
        return [entry for entry in self.ended.values() if not entry.succeeded]

    def failures_of(self, index: int) -> list[Ended]:
        """The counting failures of one index."""
        return [entry for entry in self.failed() if entry.index == index]


def index_of(pod: Object) -> int | None:
    """A pod's completion index."""
    text = (pod["metadata"].get("annotations") or {}).get(INDEX)
    return None if text is None else int(text)


def only_replaces_failed(job: Object) -> bool:
    """Whether a pod that is being deleted is only replaced, and counted, once it has ended."""
    return bool(job["spec"].get("podReplacementPolicy") == "Failed")


def _counts_as_failed(job: Object, pod: Object) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp")) and not only_replaces_failed(job)


def _finished(pod: Object, now: float) -> float:
    times = [
        parse_timestamp(entry["state"]["terminated"]["finishedAt"])
        for entry in pod["status"].get("containerStatuses") or ()
        if "terminated" in (entry.get("state") or {})
    ]
    return max(times, default=now)


def is_ended(pod: Object) -> bool:
    """Whether a pod has reached its end."""
    return pod["status"].get("phase") in ("Succeeded", "Failed")


def active_pods(pods: Iterable[Object]) -> list[Object]:
    """The pods that neither ended nor are being deleted."""
    return [pod for pod in pods if not is_ended(pod) and not pod["metadata"].get("deletionTimestamp")]


def terminating_pods(pods: Iterable[Object]) -> list[Object]:
    """The pods that are being deleted and have not ended."""
    return [pod for pod in pods if not is_ended(pod) and pod["metadata"].get("deletionTimestamp")]
