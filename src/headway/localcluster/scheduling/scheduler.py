"""Binds pods to nodes as room comes and goes."""

from __future__ import annotations

import asyncio

from headway.localcluster.admission.registry import Registry
from headway.localcluster.disruption import disrupt
from headway.localcluster.events import Recorder
from headway.localcluster.objects.kinds import NODE, POD
from headway.localcluster.objects.meta import (
    Object,
    condition,
    copied,
    name_of,
    namespace_of,
    timestamp,
    uid_of,
)
from headway.localcluster.objects.store import Change
from headway.localcluster.scheduling.fit import NodeView, constraints, decide

_GATHER = 0.01
_FINISHED = ("Succeeded", "Failed")


class Scheduler:
    """Places every pod that has no node yet.

    Args:
        registry: The way into the store.
        events: Leaves events on pods.
    """

    def __init__(self, registry: Registry, events: Recorder) -> None:
        self._registry = registry
        self._store = registry.store
        self._events = events
        self._pending: dict[str, Object] = {}
        self._views: dict[str, NodeView] = {}
        self._constraints: dict[str, bytes] = {}
        self._due = False

    def begin(self) -> None:
        """Watch pods and nodes from now on."""
        self._store.subscribe(POD, self._pod_changed)
        self._store.subscribe(NODE, self._node_changed)
        for node in self._store.objects(NODE):
            self._views[name_of(node)] = NodeView(node)

    def _pod_changed(self, change: Change) -> None:
        pod = change.new
        name = pod["spec"].get("nodeName", "")
        ended = change.type == "DELETED" or pod["status"].get("phase") in _FINISHED
        if not name:
            self._pending.pop(uid_of(pod), None)
            self._constraints.pop(uid_of(pod), None)
            gated = pod["spec"].get("schedulingGates")
            if not ended and not pod["metadata"].get("deletionTimestamp") and not gated:
                self._pending[uid_of(pod)] = pod
                if change.old is None or change.old["spec"] != pod["spec"]:
                    self._schedule_soon()
            return
        view = self._views.get(name)
        if view is None:
            return
        if not ended:
            view.add(pod)
        elif view.drop(pod) and self._pending:
            self._schedule_soon()

    def _node_changed(self, change: Change) -> None:
        name = name_of(change.new)
        if change.type == "DELETED":
            self._views.pop(name, None)
        else:
            pods = self._views[name].pods if name in self._views else []
            self._views[name] = NodeView(change.new, pods)
        self._schedule_soon()

    def _schedule_soon(self) -> None:
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_later(_GATHER, self._schedule)

    def _schedule(self) -> None:
        self._due = False
        waiting = sorted(self._pending.values(), key=lambda pod: -pod["spec"].get("priority", 0))
        nodes = list(self._views.values())
        # Room only shrinks during one pass, so what one pod was refused is refused to its likes.
        refused: dict[bytes, str] = {}
        for pod in waiting:
            alike = self._constraints_of(pod)
            if alike in refused:
                self._refuse(pod, refused[alike])
                continue
            decision = decide(pod, nodes)
            if decision.node:
                self._bind(pod, decision.node)
                continue
            for victim in decision.victims:
                self._preempt(victim, pod)
            # Other pods' anti-affinity looks at labels, in which likes may differ.
            if not decision.victims and "anti-affinity" not in decision.message:
                refused[alike] = decision.message
            self._refuse(pod, decision.message)

    def _constraints_of(self, pod: Object) -> bytes:
        uid = uid_of(pod)
        if uid not in self._constraints:
            self._constraints[uid] = constraints(pod)
        return self._constraints[uid]

    def _bind(self, pod: Object, node: str) -> None:
        del self._pending[uid_of(pod)]
        self._constraints.pop(uid_of(pod), None)
        bound = copied(pod)
        bound["spec"]["nodeName"] = node
        bound["status"]["conditions"] = _with_scheduled(pod["status"], "True", "", "", self._now())
        self._store.update(POD, bound)
        where = f"{namespace_of(pod)}/{name_of(pod)}"
        self._events(bound, "Scheduled", f"Successfully assigned {where} to {node}")

    def _refuse(self, pod: Object, message: str) -> None:
        told = condition(pod["status"], "PodScheduled")
        if told is not None and told.get("message") == message:
            return
        draft = copied(pod)
        conditions = _with_scheduled(pod["status"], "False", "Unschedulable", message, self._now())
        draft["status"]["conditions"] = conditions
        stored = self._store.update(POD, draft)
        self._events(stored, "FailedScheduling", message, warning=True)

    def _preempt(self, victim: Object, pod: Object) -> None:
        if victim["metadata"].get("deletionTimestamp"):
            return
        scheduler = pod["spec"].get("schedulerName", "default-scheduler")
        message = f"{scheduler}: preempting to accommodate a higher priority pod"
        self._events(
            victim, "Preempted", f"Preempted by pod {uid_of(pod)} on node {victim['spec']['nodeName']}"
        )
        disrupt(self._registry, victim, "PreemptionByScheduler", message)

    def _now(self) -> str:
        return timestamp(self._registry.now())


def _with_scheduled(status: Object, value: str, reason: str, message: str, now: str) -> list[Object]:
    kept = [entry for entry in status.get("conditions") or () if entry["type"] != "PodScheduled"]
    entry: Object = {
        "type": "PodScheduled",
        "status": value,
        "lastProbeTime": None,
        "lastTransitionTime": now,
    }
    if reason:
        entry["reason"], entry["message"] = reason, message
    return [*kept, entry]
