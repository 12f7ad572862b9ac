"""Keeps the cluster's objects in a file, where somebody asked for that, so that the next start has them again."""

from __future__ import annotations

import json
import os
from pathlib import Path

from headway.localcluster.objects.kinds import (
    BY_NAME,
    ENDPOINT_SLICE,
    EVENT,
    JOB,
    KINDS,
    LEASE,
    NAMESPACE,
    NODE,
    POD,
    Kind,
)
from headway.localcluster.objects.meta import Object, copied, name_of, namespace_of, timestamp
from headway.localcluster.objects.store import Store

#: What each start makes anew.
_NOT_KEPT = (NODE, EVENT, ENDPOINT_SLICE, LEASE)
#: What others belong to comes back first, so that nothing looks orphaned meanwhile.
_FIRST, _LAST = (NAMESPACE,), (JOB, POD)
_ENDED = ("Succeeded", "Failed")


def save(store: Store, path: Path) -> None:
    """Write all objects; the file is replaced as a whole, and only its owner may read it: it holds secrets."""
    kept = [kind for kind in KINDS if kind not in _NOT_KEPT]
    objects = [obj for kind in kept for obj in store.objects(kind)]
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"revision": store.revision, "objects": objects}, file)
    temporary.replace(path)


def load(store: Store, path: Path, now: float) -> None:
    """Bring back what was saved, into a store that holds what every cluster begins with.

    Resource versions go on from where they were. A pod that ran when the cluster ended has failed.

    Args:
        store: Takes them.
        path: Of the file; without one there is nothing to bring back.
        now: Seconds since the epoch.

    Raises:
        ValueError: The file is none of ours.
    """
    if not path.exists():
        return
    saved = json.loads(path.read_text(encoding="utf-8"))
    store.advance(int(saved["revision"]))
    found = [(BY_NAME[obj["apiVersion"], obj["kind"]], obj) for obj in saved["objects"]]
    for kind, obj in sorted(found, key=lambda item: _place(item[0])):
        if store.find(kind, namespace_of(obj), name_of(obj)) is None:
            store.create(kind, _after_a_restart(obj, timestamp(now)) if kind == POD else obj)


def _place(kind: Kind) -> int:
    return 0 if kind in _FIRST else 2 + _LAST.index(kind) if kind in _LAST else 1


def _after_a_restart(pod: Object, now: str) -> Object:
    """The pod as a node shows it that was switched off under it; one without a node waits on."""
    status = pod.get("status") or {}
    if status.get("phase") in _ENDED or not pod["spec"].get("nodeName"):
        return pod
    pod = copied(pod)
    words = "The container could not be located when the node came back"
    ended = {
        "exitCode": 137,
        "reason": "ContainerStatusUnknown",
        "message": words,
        "startedAt": None,
        "finishedAt": now,
    }
    status = pod.setdefault("status", {})
    status.update(
        {"phase": "Failed", "reason": "NodeRestart", "message": "The cluster was stopped and started again"}
    )
    for container in status.get("containerStatuses") or ():
        if "terminated" not in (container.get("state") or {}):
            container.update({"state": {"terminated": dict(ended)}, "ready": False, "started": False})
    for condition in status.get("conditions") or ():
        if condition["type"] in ("Ready", "ContainersReady"):
            condition.update({"status": "False", "reason": "PodFailed", "lastTransitionTime": now})
    return pod
