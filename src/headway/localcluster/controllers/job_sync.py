"""The job controller's decision: from a job and its pods to what is to be done. Pure; time is passed in."""

from __future__ import annotations

from dataclasses import dataclass, field

from headway.localcluster.controllers.indexes import compressed, parsed
from headway.localcluster.controllers.job_ledger import (
    Ended,
    Ledger,
    active_pods,
    index_of,
    only_replaces_failed,
    terminating_pods,
)
from headway.localcluster.objects.meta import Object, condition, is_true, parse_timestamp, timestamp

_BACKOFF_FIRST = 10.0
_BACKOFF_MOST = 600.0
_BATCH = 500


@dataclass
class Plan:
    """What is to be done for a job.

    Attributes:
        status: Its new status.
        create: Pods to create, each by its index (None in a job without indexes).
        delete: Pods to delete.
        forgets: Whether their ends count for nothing: the job has too many, or is suspended.
        events: Events to leave: reason, message, whether it is a warning.
        again_at: When to look again, epoch seconds; None if only a change matters.
        expired: Whether its time to live after its end is over.
    """

    status: Object
    create: list[int | None] = field(default_factory=list)
    delete: list[Object] = field(default_factory=list)
    forgets: bool = False
    events: list[tuple[str, str, bool]] = field(default_factory=list)
    again_at: float | None = None
    expired: bool = False

    def look_again(self, at: float) -> None:
        """Look again at a time, or earlier if that was planned."""
        self.again_at = at if self.again_at is None else min(self.again_at, at)


def sync(job: Object, pods: list[Object], ledger: Ledger, now: float) -> Plan:
    """Decide what a job needs.

    Args:
        job: The job.
        pods: Its pods that exist.
        ledger: What became of all of its pods, `pods` included.
        now: Epoch seconds.
    """
    status = job.get("status") or {}
    if is_true(status, "Complete") or is_true(status, "Failed"):
        return _after_end(job, status, now)
    return _Sync(job, pods, ledger, now).plan()


def _after_end(job: Object, status: Object, now: float) -> Plan:
    plan = Plan(status)
    life = job["spec"].get("ttlSecondsAfterFinished")
    if life is not None:
        ended = condition(status, "Complete") or condition(status, "Failed")
        assert ended is not None
        due = parse_timestamp(ended["lastTransitionTime"]) + life
        plan.expired = now >= due
        plan.look_again(due)
    return plan


class _Sync:
    """One decision in the making."""

    def __init__(self, job: Object, pods: list[Object], ledger: Ledger, now: float) -> None:
        self._job = job
        self._spec = job["spec"]
        self._ledger = ledger
        self._now = now
        self._active = active_pods(pods)
        self._terminating = terminating_pods(pods)
        self._restarts = sum(
            entry["restartCount"]
            for pod in self._active
            for entry in pod["status"].get("containerStatuses") or ()
        )
        self._indexed = self._spec.get("completionMode") == "Indexed"
        self._limit_per_index: int | None = self._spec.get("backoffLimitPerIndex")
        self._completions: int | None = self._spec.get("completions")
        self._done: set[int] = {entry.index for entry in ledger.succeeded() if entry.index is not None}
        if self._completions is not None:
            self._done = {index for index in self._done if index < self._completions}
        self._broken = self._failed_indexes() - self._done
        self._succeeded = len(self._done) if self._indexed else len(ledger.succeeded())
        old = job.get("status") or {}
        self._conditions: list[Object] = [dict(entry) for entry in old.get("conditions") or ()]
        self._start: str | None = old.get("startTime")
        self._plan = Plan({})

    def plan(self) -> Plan:
        suspended = bool(self._spec.get("suspend"))
        if self._start is None and not suspended:
            self._start = timestamp(self._now)
        ready = sum(1 for pod in self._active if is_true(pod["status"], "Ready"))
        failure = self._failure()
        success = None if failure else self._success()
        if failure or success:
            self._end(failure, success)
            ready = 0
        else:
            self._suspension(suspended)
            ready -= self._manage(suspended)
        self._plan.status = self._status(max(ready, 0))
        return self._plan

    def _failure(self) -> tuple[str, str] | None:
        """The reason and message if the job has failed."""
        found = next(
            (e for e in self._conditions if e["type"] == "FailureTarget" and e["status"] == "True"), None
        )
        if found is not None:
            return found["reason"], found["message"]
        verdicts = [entry.message for entry in self._ledger.all_failed() if entry.action == "FailJob"]
        if verdicts:
            return "PodFailurePolicy", verdicts[0]
        limit = self._spec["backoffLimit"]
        on_failure = self._spec["template"]["spec"].get("restartPolicy") == "OnFailure"
        exceeded = len(self._ledger.failed()) > limit
        if on_failure and self._restarts:
            exceeded = exceeded or self._restarts >= max(limit, 1)
        if exceeded:
            return "BackoffLimitExceeded", "Job has reached the specified backoff limit"
        if self._past_deadline():
            return "DeadlineExceeded", "Job was active longer than specified deadline"
        return self._index_failure()

    def _index_failure(self) -> tuple[str, str] | None:
        if self._limit_per_index is None or not self._broken:
            return None
        most = self._spec.get("maxFailedIndexes")
        if most is not None and len(self._broken) > most:
            return (
                "MaxFailedIndexesExceeded",
                "Job has exceeded the specified maximal number of failed indexes",
            )
        if self._completions is not None and len(self._broken) + len(self._done) >= self._completions:
            return "FailedIndexes", "Job has failed indexes"
        return None

    def _past_deadline(self) -> bool:
        seconds = self._spec.get("activeDeadlineSeconds")
        if seconds is None or self._start is None or self._spec.get("suspend"):
            return False
        due = parse_timestamp(self._start) + seconds
        self._plan.look_again(due)
        return bool(self._now >= due)

    def _success(self) -> tuple[str, str] | None:
        """The reason and message if the job has succeeded."""
        found = next((e for e in self._conditions if e["type"] == "SuccessCriteriaMet"), None)
        if found is not None:
            return found["reason"], found["message"]
        for place, rule in enumerate((self._spec.get("successPolicy") or {}).get("rules") or ()):
            if self._meets(rule):
                return "SuccessPolicy", f"Matched rules at index {place}"
        if self._completions is None:
            complete = self._succeeded > 0 and not self._active and not self._terminating
        else:
            complete = self._succeeded >= self._completions
        return ("CompletionsReached", "Reached expected number of succeeded pods") if complete else None

    def _meets(self, rule: Object) -> bool:
        done = self._done
        if rule.get("succeededIndexes") is not None:
            wanted = parsed(rule["succeededIndexes"])
            done = self._done & wanted
            if rule.get("succeededCount") is None:
                return bool(done == wanted)
        return len(done) >= int(rule.get("succeededCount", 1))

    def _end(self, failure: tuple[str, str] | None, success: tuple[str, str] | None) -> None:
        """End the job: first the target condition, the final one when no pod is left."""
        target, final = ("FailureTarget", "Failed") if failure else ("SuccessCriteriaMet", "Complete")
        reason, message = failure or success or ("", "")
        self._plan.delete = list(self._active)
        left = bool(self._active or self._terminating)
        self._terminating += self._active
        self._active = []
        self._set(target, "True", reason, message)
        if left:
            return
        self._set(final, "True", reason, message)
        if failure:
            self._plan.events.append((reason, message, True))
        else:
            self._plan.events.append(("Completed", "Job completed", False))
        life = self._spec.get("ttlSecondsAfterFinished")
        self._plan.again_at = None if life is None else self._now + life

    def _suspension(self, suspended: bool) -> None:
        found = next((entry for entry in self._conditions if entry["type"] == "Suspended"), None)
        if suspended and (found is None or found["status"] != "True"):
            self._set("Suspended", "True", "JobSuspended", "Job suspended")
            self._plan.events.append(("Suspended", "Job suspended", False))
            self._start = None
        elif not suspended and found is not None and found["status"] == "True":
            self._set("Suspended", "False", "JobResumed", "Job resumed")
            self._plan.events.append(("Resumed", "Job resumed", False))
            self._start = timestamp(self._now)

    def _manage(self, suspended: bool) -> int:
        """Create or delete pods; returns how many ready ones are deleted."""
        wanted = 0 if suspended else self._wanted()
        surplus = len(self._active) - wanted
        if surplus > 0:
            chosen = sorted(self._active, key=_removal_order, reverse=True)[:surplus]
            self._plan.delete = chosen
            self._plan.forgets = True
            self._active = [pod for pod in self._active if pod not in chosen]
            self._terminating += chosen
            return sum(1 for pod in chosen if is_true(pod["status"], "Ready"))
        missing = wanted - len(self._active)
        if only_replaces_failed(self._job):
            missing -= len(self._terminating)
        if missing > 0:
            self._create(min(missing, _BATCH))
            if missing > _BATCH:
                self._plan.look_again(self._now)
        return 0

    def _wanted(self) -> int:
        parallelism: int = self._spec["parallelism"]
        if self._completions is None:
            return len(self._active) if self._succeeded else parallelism
        return max(min(self._completions - self._succeeded, parallelism), 0)

    def _create(self, count: int) -> None:
        if not self._indexed:
            due = _backoff_end(self._ledger.all_failed(), self._last_success())
            if due > self._now:
                self._plan.look_again(due)
                return
            self._plan.create = [None] * count
            return
        if self._limit_per_index is None:
            due = _backoff_end(self._ledger.all_failed(), self._last_success())
            if due > self._now:
                self._plan.look_again(due)
                return
        taken = {index_of(pod) for pod in self._active} | self._done | self._broken
        if only_replaces_failed(self._job):
            taken |= {index_of(pod) for pod in self._terminating}
        failed_once = {entry.index for entry in self._ledger.all_failed()}
        for index in range(self._completions or 0):
            if len(self._plan.create) >= count:
                break
            if index in taken:
                continue
            if self._limit_per_index is not None and index in failed_once:
                own = [entry for entry in self._ledger.all_failed() if entry.index == index]
                due = _backoff_end(own, 0.0)
                if due > self._now:
                    self._plan.look_again(due)
                    continue
            self._plan.create.append(index)

    def _last_success(self) -> float:
        return max((entry.at for entry in self._ledger.succeeded()), default=0.0)

    def _failed_indexes(self) -> set[int]:
        if self._limit_per_index is None:
            return set()
        counts: dict[int, int] = {}
        broken: set[int] = set()
        for entry in self._ledger.failed():
            if entry.index is None:
                continue
            counts[entry.index] = counts.get(entry.index, 0) + 1
            if entry.action == "FailIndex" or counts[entry.index] > self._limit_per_index:
                broken.add(entry.index)
        return broken

    def _set(self, kind: str, value: str, reason: str, message: str) -> None:
        now = timestamp(self._now)
        found = next((entry for entry in self._conditions if entry["type"] == kind), None)
        if found is not None and found["status"] == value and found["reason"] == reason:
            return
        entry = {
            "type": kind,
            "status": value,
            "lastProbeTime": now,
            "lastTransitionTime": now,
            "reason": reason,
            "message": message,
        }
        if found is None:
            self._conditions.append(entry)
        else:
            found.update(entry)

    def _status(self, ready: int) -> Object:
        old = self._job.get("status") or {}
        status: Object = {}
        if self._conditions:
            status["conditions"] = self._conditions
        if self._start is not None:
            status["startTime"] = self._start
        if any(entry["type"] == "Complete" for entry in self._conditions):
            status["completionTime"] = old.get("completionTime") or timestamp(self._now)
        counts = {
            "active": len(self._active) + len(self._plan.create),
            "succeeded": self._succeeded,
            "failed": len(self._ledger.failed()),
        }
        status.update({name: count for name, count in counts.items() if count})
        status["terminating"] = len(self._terminating)
        if self._indexed and self._done:
            status["completedIndexes"] = compressed(self._done)
        if self._limit_per_index is not None:
            status["failedIndexes"] = compressed(self._broken)
        status["uncountedTerminatedPods"] = {}
        status["ready"] = ready
        return status


def _backoff_end(failed: list[Ended], since: float) -> float:
    """When a pod may be created again after failures since a success: 10 s doubled up to 10 min."""
    recent = [entry for entry in failed if entry.at >= since]
    if not recent:
        return 0.0
    delay = min(_BACKOFF_FIRST * 2 ** (len(recent) - 1), _BACKOFF_MOST)
    return float(max(entry.at for entry in recent) + delay)


def _removal_order(pod: Object) -> tuple[bool, bool, int, str]:
    """Pods that can go first sort last: unbound ones, then unready ones, then high indexes, then young ones."""
    status, index = pod["status"], index_of(pod)
    unbound = not pod["spec"].get("nodeName")
    return (
        unbound,
        not is_true(status, "Ready"),
        -1 if index is None else index,
        pod["metadata"]["creationTimestamp"],
    )
