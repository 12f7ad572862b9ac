"""A minimal Job controller: pods for Jobs, within their parallelism, counted when they end."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from headway.testing.fake_kubernetes.state import Change, ClusterState, Manifest

_INDEX = "batch.kubernetes.io/job-completion-index"
_ACTIVE = ("Pending", "Running")


@dataclass
class _Ledger:
    """What is remembered of a Job's ended pods, which may be gone before the Job ends.

    Args:
        counted: The uids of those counted.
        failures: Failures by index.
        broken: Whether a pod ended in a way that fails the whole Job.
    """

    counted: set[str] = field(default_factory=set)
    failures: Counter[int] = field(default_factory=Counter)
    broken: bool = False


class JobController:
    """Acts at once on every change of a Job or of one of its pods.

    Knows completions, parallelism, suspend, Indexed and NonIndexed, backoffLimit and backoffLimitPerIndex.
    Of pod failure policies it knows the exit codes that fail a Job; it knows neither deadlines nor the time to live.

    Args:
        state: The cluster.
    """

    def __init__(self, state: ClusterState) -> None:
        self._state = state
        self._made = 0
        self._due: list[tuple[str, str]] = []
        self._busy = False
        self._ledgers: defaultdict[str, _Ledger] = defaultdict(_Ledger)
        state.listeners.append(self._changed)

    def _changed(self, change: Change) -> None:
        meta = change.object["metadata"]
        if change.resource == "jobs" and change.type != "DELETED":
            self._due.append((meta["namespace"], meta["name"]))
        elif change.resource == "pods":
            for owner in meta.get("ownerReferences", ()):
                if owner["kind"] == "Job":
                    if change.type == "DELETED" and not self._busy:
                        self._deleted_by_others(change.object, owner)
                    self._due.append((meta["namespace"], owner["name"]))
        # What this does changes things itself; those changes wait their turn.
        while self._due and not self._busy:
            self._busy = True
            try:
                self._reconcile(*self._due.pop(0))
            finally:
                self._busy = False

    def _deleted_by_others(self, pod: Manifest, owner: Manifest) -> None:
        job = self._state.get("jobs", pod["metadata"]["namespace"], owner["name"])
        if job is not None and not _finished(job):
            self._count(job, {**pod, "status": {**pod["status"], "phase": "Failed"}})
            self._state.update("jobs", job)

    def _reconcile(self, namespace: str, name: str) -> None:
        job = self._state.get("jobs", namespace, name)
        if job is None or _finished(job):
            return
        spec, status = job["spec"], job["status"]
        pods = [pod for pod in self._state.all("pods", namespace) if _owned(pod, job)]
        for pod in pods:
            if pod["status"].get("phase") not in _ACTIVE:
                self._count(job, pod)
        active = [pod for pod in pods if pod["status"].get("phase") in _ACTIVE]
        self._settle(job)
        if _finished(job) or spec.get("suspend"):
            for pod in active:
                self._state.remove("pods", namespace, pod["metadata"]["name"])
            active = []
        else:
            status.setdefault("startTime", self._state.timestamp())
            active += self._start_missing(job, active)
        status["active"] = len(active)
        status["ready"] = sum(pod["status"].get("phase") == "Running" for pod in active)
        self._state.update("jobs", job)

    def _count(self, job: Manifest, pod: Manifest) -> None:
        """Enter an ended pod into its Job's status, once."""
        spec, status, meta = job["spec"], job["status"], pod["metadata"]
        ledger = self._ledgers[job["metadata"]["uid"]]
        if meta["uid"] in ledger.counted:
            return
        ledger.counted.add(meta["uid"])
        outcome = "succeeded" if pod["status"]["phase"] == "Succeeded" else "failed"
        status[outcome] = status.get(outcome, 0) + 1
        ledger.broken = ledger.broken or (outcome == "failed" and _fails_job(spec, pod))
        if (written := meta.get("annotations", {}).get(_INDEX)) is None:
            return
        index = int(written)
        if outcome == "succeeded":
            _enter(status, "completedIndexes", index)
            return
        ledger.failures[index] += 1
        limit = spec.get("backoffLimitPerIndex")
        if limit is not None and ledger.failures[index] > limit:
            _enter(status, "failedIndexes", index)

    def _settle(self, job: Manifest) -> None:
        """Finish a Job that has reached its completions or its limit of failures."""
        spec, status, now = job["spec"], job["status"], self._state.timestamp()
        done = len(_ended(job)) if _indexed(job) else status.get("succeeded", 0)
        limited = spec.get("backoffLimitPerIndex") is None
        if self._ledgers[job["metadata"]["uid"]].broken:
            _finish(job, "Failed", "PodFailurePolicy", "An exit code matches a FailJob rule", now)
        elif done >= _completions(job):
            if status.get("failedIndexes"):
                _finish(job, "Failed", "FailedIndexes", "Job has failed indexes", now)
            else:
                _finish(
                    job, "Complete", "CompletionsReached", "Reached expected number of succeeded pods", now
                )
        elif limited and status.get("failed", 0) > spec.get("backoffLimit", 6):
            message = "Job has reached the specified backoff limit"
            _finish(job, "Failed", "BackoffLimitExceeded", message, now)

    def _start_missing(self, job: Manifest, active: list[Manifest]) -> list[Manifest]:
        room = max(0, job["spec"].get("parallelism", 1) - len(active))
        wanted: Iterable[int | None]
        if _indexed(job):
            taken = {int(pod["metadata"]["annotations"][_INDEX]) for pod in active} | _ended(job)
            wanted = [index for index in range(_completions(job)) if index not in taken]
        else:
            wanted = [None] * (_completions(job) - job["status"].get("succeeded", 0) - len(active))
        return [self._start(job, index) for index, _ in zip(wanted, range(room), strict=False)]

    def _start(self, job: Manifest, index: int | None) -> Manifest:
        meta, template = job["metadata"], job["spec"]["template"]
        self._made += 1
        labels = {
            **template.get("metadata", {}).get("labels", {}),
            "batch.kubernetes.io/job-name": meta["name"],
            "batch.kubernetes.io/controller-uid": meta["uid"],
            "job-name": meta["name"],
        }
        annotations = dict(template.get("metadata", {}).get("annotations", {}))
        spec: dict[str, Any] = dict(template["spec"])
        stem = meta["name"]
        if index is not None:
            labels[_INDEX] = annotations[_INDEX] = str(index)
            stem = f"{stem}-{index}"
            spec["hostname"] = stem
            variable = {
                "name": "JOB_COMPLETION_INDEX",
                "valueFrom": {"fieldRef": {"fieldPath": f"metadata.annotations['{_INDEX}']"}},
            }
            spec["containers"] = [
                {**container, "env": [*container.get("env", ()), variable]}
                for container in spec.get("containers", ())
            ]
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": meta["name"], "uid": meta["uid"]}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"{stem}-{self._made:05d}",
                "labels": labels,
                "annotations": annotations,
                "ownerReferences": [{**owner, "controller": True}],
            },
            "spec": spec,
        }
        return self._state.add("pods", meta["namespace"], pod)


def _fails_job(spec: Manifest, pod: Manifest) -> bool:
    """Whether a rule says that this end of a pod fails the whole Job: by an exit code other than 0."""
    rules = spec.get("podFailurePolicy", {}).get("rules", ())
    by_code = [rule["onExitCodes"] for rule in rules if rule["action"] == "FailJob" and "onExitCodes" in rule]
    for status in pod["status"].get("containerStatuses", ()):
        code = status.get("state", {}).get("terminated", {}).get("exitCode", 0)
        for codes in by_code:
            meant = codes.get("containerName") in (None, status["name"])
            if code and meant and (code in codes["values"]) is (codes["operator"] == "In"):
                return True
    return False


def _finished(job: Manifest) -> bool:
    return any(
        condition["type"] in ("Complete", "Failed") and condition["status"] == "True"
        for condition in job["status"].get("conditions", ())
    )


def _finish(job: Manifest, type_: str, reason: str, message: str, now: str) -> None:
    condition = {
        "type": type_,
        "status": "True",
        "reason": reason,
        "message": message,
        "lastTransitionTime": now,
    }
    job["status"].setdefault("conditions", []).append(condition)
    if type_ == "Complete":
        job["status"]["completionTime"] = now


def _owned(pod: Manifest, job: Manifest) -> bool:
    uid = job["metadata"]["uid"]
    return any(owner["uid"] == uid for owner in pod["metadata"].get("ownerReferences", ()))


def _indexed(job: Manifest) -> bool:
    return bool(job["spec"].get("completionMode") == "Indexed")


def _completions(job: Manifest) -> int:
    return int(job["spec"].get("completions") or job["spec"].get("parallelism", 1))


def _ended(job: Manifest) -> set[int]:
    status = job["status"]
    return _indexes(status.get("completedIndexes", "")) | _indexes(status.get("failedIndexes", ""))


def _enter(status: dict[str, Any], name: str, index: int) -> None:
    status[name] = _written(_indexes(status.get(name, "")) | {index})


def _indexes(text: str) -> set[int]:
    found: set[int] = set()
    for part in text.split(",") if text else ():
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def _written(indexes: set[int]) -> str:
    """Indexes as Kubernetes writes them: "0,2-4"."""
    ranges: list[list[int]] = []
    for index in sorted(indexes):
        if ranges and index == ranges[-1][1] + 1:
            ranges[-1][1] = index
        else:
            ranges.append([index, index])
    # Two in a row are written with a comma, as the Job controller does.
    return ",".join(
        str(first) if first == last else f"{first},{last}" if last == first + 1 else f"{first}-{last}"
        for first, last in ranges
    )
