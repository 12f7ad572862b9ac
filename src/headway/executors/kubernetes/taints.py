"""Taints that come and go with a node's state, and make no statement about who may run there: pure."""

#: How their keys begin: a node in trouble, one that a cloud or an autoscaler is starting or taking away.
_BEGINNINGS = (
    "node.kubernetes.io/",
    "node.cloudprovider.kubernetes.io/",
    "startup-taint.cluster-autoscaler.kubernetes.io/",
    "status-taint.cluster-autoscaler.kubernetes.io/",
    "ignore-taint.cluster-autoscaler.kubernetes.io/",
    "ToBeDeletedByClusterAutoscaler",
    "DeletionCandidateOfClusterAutoscaler",
    "karpenter.sh/",
    "readiness.k8s.io/",
    "aws-node-termination-handler/",
    "cloud.google.com/impending-node-termination",
    "remediator.kubernetes.azure.com/",
)
#: How those end that agents for networks and volumes take away once they run there.
_ENDINGS = ("agent-not-ready", "agent-not-scheduled", "network-unavailable")


def is_passing(key: str) -> bool:
    """Whether a taint with this key is one of those."""
    return key.startswith(_BEGINNINGS) or key.endswith(_ENDINGS)
