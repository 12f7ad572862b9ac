"""Carries out what `job_sync` decides."""

from __future__ import annotations

import asyncio

from headway.localcluster.admission.deletion import DeleteOptions
from headway.localcluster.admission.registry import Registry
from headway.localcluster.controllers.job_ledger import INDEX, Ledger
from headway.localcluster.controllers.job_sync import Plan, sync
from headway.localcluster.events import Recorder
from headway.localcluster.objects.failures import ApiError
from headway.localcluster.objects.kinds import JOB, POD
from headway.localcluster.objects.meta import Object, controller_of, copied, name_of, namespace_of, uid_of
from headway.localcluster.objects.store import Change

_GATHER = 0.02
_RETRY_FIRST = 1.0
_RETRY_MOST = 60.0


class JobController:
    """Runs jobs.

    Args:
        registry: The way into the store.
        events: Leaves events on jobs.
    """

    def __init__(self, registry: Registry, events: Recorder) -> None:
        self._registry = registry
        self._store = registry.store
        self._events = events
        self._ledgers: dict[str, Ledger] = {}
        self._pods: dict[str, dict[str, Object]] = {}
        self._due: dict[tuple[str, str], asyncio.TimerHandle] = {}
        self._retries: dict[str, float] = {}

    def begin(self) -> None:
        """Watch jobs and pods from now on."""
        self._store.subscribe(JOB, self._job_changed)
        self._store.subscribe(POD, self._pod_changed)

    def _job_changed(self, change: Change) -> None:
        uid, key = uid_of(change.new), (namespace_of(change.new), name_of(change.new))
        if change.type == "DELETED":
            for table in (self._ledgers, self._pods, self._retries):
                table.pop(uid, None)
            handle = self._due.pop(key, None)
            if handle is not None:
                handle.cancel()
            return
        if change.old is None or change.old["spec"] != change.new["spec"]:
            self._look(key, 0)

    def _pod_changed(self, change: Change) -> None:
        owner = controller_of(change.new)
        if owner is None or owner["kind"] != JOB.name:
            return
        uid, key = owner["uid"], (namespace_of(change.new), owner["name"])
        job = self._store.find(JOB, *key)
        if job is None or uid_of(job) != uid:
            return
        pods = self._pods.setdefault(uid, {})
        gone = change.type == "DELETED"
        if gone:
            pods.pop(uid_of(change.new), None)
        else:
            pods[uid_of(change.new)] = change.new
        ledger = self._ledgers.setdefault(uid, Ledger())
        ledger.observe(job, change.new, self._registry.now(), gone=gone)
        self._look(key, _GATHER)

    def _look(self, key: tuple[str, str], delay: float) -> None:
        """Sync a job after a delay, or earlier if that is planned."""
        loop = asyncio.get_running_loop()
        planned = self._due.get(key)
        if planned is not None:
            if planned.when() <= loop.time() + delay:
                return
            planned.cancel()
        self._due[key] = loop.call_later(delay, self._sync, key)

    def _sync(self, key: tuple[str, str]) -> None:
        self._due.pop(key, None)
        job = self._store.find(JOB, *key)
        if job is None or job["metadata"].get("deletionTimestamp") or job["spec"].get("managedBy"):
            return
        uid = uid_of(job)
        now = self._registry.now()
        pods = list(self._pods.get(uid, {}).values())
        plan = sync(job, pods, self._ledgers.setdefault(uid, Ledger()), now)
        if plan.expired:
            self._registry.delete(JOB, *key, DeleteOptions(propagation="Background"))
            return
        self._carry_out(job, plan)
        if plan.again_at is not None:
            self._look(key, max(plan.again_at - now, _GATHER))

    def _carry_out(self, job: Object, plan: Plan) -> None:
        missing = 0
        for place, index in enumerate(plan.create):
            if not self._create(job, index):
                missing = len(plan.create) - place
                break
        if missing:
            active = plan.status.get("active", 0) - missing
            plan.status["active"] = active
            if not active:
                del plan.status["active"]
        for pod in plan.delete:
            if plan.forgets:
                self._ledgers[uid_of(job)].forgotten.add(uid_of(pod))
            self._registry.delete(POD, namespace_of(pod), name_of(pod))
            self._events(job, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")
        updated = self._registry.set_status(JOB, job, plan.status)
        for reason, message, warning in plan.events:
            self._events(updated or job, reason, message, warning=warning)

    def _create(self, job: Object, index: int | None) -> bool:
        pod = pod_of(job, index)
        try:
            created = self._registry.create(POD, namespace_of(job), pod)
        except ApiError as error:
            self._events(job, "FailedCreate", f"Error creating: {error.message}", warning=True)
            delay = min(self._retries.get(uid_of(job), _RETRY_FIRST / 2) * 2, _RETRY_MOST)
            self._retries[uid_of(job)] = delay
            self._look((namespace_of(job), name_of(job)), delay)
            return False
        self._retries.pop(uid_of(job), None)
        self._events(job, "SuccessfulCreate", f"Created pod: {name_of(created)}")
        return True


def pod_of(job: Object, index: int | None) -> Object:
    """The pod that a job creates, for an index or without one."""
    template = copied(job["spec"]["template"])
    meta, spec = template["metadata"], template["spec"]
    base = name_of(job) if index is None else f"{name_of(job)}-{index}"
    pod_meta: Object = {
        "generateName": f"{base}-",
        "namespace": namespace_of(job),
        "labels": meta.get("labels") or {},
        "annotations": meta.get("annotations") or {},
        "ownerReferences": [
            {
                "apiVersion": JOB.api_version,
                "kind": JOB.name,
                "name": name_of(job),
                "uid": uid_of(job),
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }
    if index is not None:
        pod_meta["labels"][INDEX] = pod_meta["annotations"][INDEX] = str(index)
        spec["hostname"] = base
        source = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{INDEX}']"}}
        for container in [*(spec.get("initContainers") or ()), *spec["containers"]]:
            env = container.setdefault("env", [])
            if all(entry["name"] != "JOB_COMPLETION_INDEX" for entry in env):
                env.append({"name": "JOB_COMPLETION_INDEX", "valueFrom": source})
    return {"apiVersion": "v1", "kind": "Pod", "metadata": pod_meta, "spec": spec}
