"""The kubelet of every node of this cluster: notices pods, runs them, reports for the nodes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from headway.localcluster.node.context import NodeContext
from headway.localcluster.node.pod import PodWorker
from headway.localcluster.objects.kinds import NODE, POD, SERVICE
from headway.localcluster.objects.meta import Object, is_true, uid_of
from headway.localcluster.objects.store import Change

_FINISHED = ("Succeeded", "Failed")


class Kubelet:
    """Runs the pods that are bound to nodes.

    Args:
        context: The means of the node.
    """

    def __init__(self, context: NodeContext) -> None:
        self._context = context
        self._workers: dict[str, PodWorker] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._hosts_due = False

    def begin(self) -> None:
        """Watch pods and services from now on."""
        store = self._context.registry.store
        store.subscribe(POD, self._pod_changed)
        store.subscribe(SERVICE, self._names_changed)

    def worker(self, uid: str) -> PodWorker | None:
        """The worker of a pod that has not been cleaned away."""
        return self._workers.get(uid)

    def lose_node(self, name: str) -> None:
        """End every process of a node as if it were switched off."""
        for worker in self._workers.values():
            if worker.pod["spec"].get("nodeName") == name:
                worker.die()

    def works(self) -> bool:
        """Whether a pod has not ended, or has no node yet."""
        pods = self._context.registry.store.objects(POD)
        return any(pod["status"].get("phase") not in _FINISHED for pod in pods)

    async def stop(self) -> None:
        """End every pod at once."""
        for worker in self._workers.values():
            worker.die()
        for task in self._tasks:
            task.cancel()

    def _pod_changed(self, change: Change) -> None:
        pod, uid = change.new, uid_of(change.new)
        worker = self._workers.get(uid)
        if change.type == "DELETED":
            if worker is not None:
                worker.stop(0)
                self._later(self._forget(worker))
        elif worker is None:
            if self._is_to_run(pod):
                worker = PodWorker(self._context, pod)
                self._workers[uid] = worker
                worker.start()
        elif pod["metadata"].get("deletionTimestamp") and change.old is not None:
            self._being_deleted(worker, pod, change.old)
        self._address_changed(change)

    def _is_to_run(self, pod: Object) -> bool:
        name = pod["spec"].get("nodeName")
        if not name or pod["status"].get("phase") in _FINISHED or pod["metadata"].get("deletionTimestamp"):
            return False
        node = self._context.registry.store.find(NODE, "", name)
        return node is not None and is_true(node["status"], "Ready")

    def _being_deleted(self, worker: PodWorker, pod: Object, old: Object) -> None:
        before = old["metadata"].get("deletionGracePeriodSeconds")
        grace = pod["metadata"].get("deletionGracePeriodSeconds") or 0
        worker.pod["metadata"] = pod["metadata"]
        if not old["metadata"].get("deletionTimestamp"):
            worker.stop(grace)
            self._later(worker.remove())
        elif before is not None and grace < before:
            worker.stop(grace)

    async def _forget(self, worker: PodWorker) -> None:
        await worker.settled()
        uid = uid_of(worker.pod)
        self._workers.pop(uid, None)
        self._context.logs.forget(uid)
        await worker.clean()

    def _address_changed(self, change: Change) -> None:
        """Names depend on pods' addresses and readiness; only such a change is worth a new hosts file."""
        if not self._context.registry.store.count(SERVICE):
            return
        before, after = (change.old or {}).get("status", {}), change.new["status"]
        moved = before.get("podIP") != after.get("podIP") or before.get("phase") != after.get("phase")
        if moved or change.type == "DELETED" or is_true(before, "Ready") != is_true(after, "Ready"):
            self._names_changed(change)

    def _names_changed(self, change: Change) -> None:
        del change
        if not self._hosts_due:
            self._hosts_due = True
            asyncio.get_running_loop().call_later(0.02, self._refresh_hosts)

    def _refresh_hosts(self) -> None:
        self._hosts_due = False
        for worker in self._workers.values():
            if worker.state.sandbox and not worker.over:
                worker.refresh_hosts()

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
