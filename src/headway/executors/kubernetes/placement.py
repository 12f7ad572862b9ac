"""Where a pod may run: node selector and affinity."""

import copy
from typing import Any

from headway.config.kubernetes import KubernetesSettings

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def node_selector(settings: KubernetesSettings) -> dict[str, str]:
    """The user's selector, and the compute pool's label."""
    pool = {settings.compute_pool_label: settings.compute_pool} if settings.compute_pool else {}
    return {**settings.node_selector, **pool}


def affinity(settings: KubernetesSettings) -> dict[str, Any]:
    """The user's affinity; with ``gpu=0`` it also keeps the pod off nodes that carry a GPU label."""
    found: dict[str, Any] = copy.deepcopy(dict(settings.affinity))
    if settings.gpu != 0 or not settings.gpu_node_labels:
        return found
    away = [{"key": label, "operator": "DoesNotExist"} for label in settings.gpu_node_labels]
    required = found.setdefault("nodeAffinity", {}).setdefault(_REQUIRED, {})
    # A node fits if one of the terms does: each of them has to say it.
    terms = required.get("nodeSelectorTerms") or [{}]
    required["nodeSelectorTerms"] = [
        {**term, "matchExpressions": [*term.get("matchExpressions", []), *away]} for term in terms
    ]
    return found
