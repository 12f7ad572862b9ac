"""What goes wrong with a cluster."""

from metaflow._aliases import aliases

__getattr__, __dir__ = aliases(
    __name__,
    {
        "KubernetesException": "headway.errors:ClusterConfigurationError",
        "KubernetesKilledException": "metaflow._never:KubernetesKilledException",
    },
)
