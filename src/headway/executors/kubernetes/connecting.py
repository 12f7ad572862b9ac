"""Opens the way to the cluster that the settings name."""

from dataclasses import replace

from headway.config.connection import Connection
from headway.executors.kubernetes.api.access import ClusterAccess
from headway.executors.kubernetes.api.calls import Limits
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.kubeconfig import load_access
from headway.executors.kubernetes.api.retry import STANDARD_RETRY


def access_to(connection: Connection) -> ClusterAccess:
    """Where the cluster is and who we are to it.

    Raises:
        ClusterConfigurationError: There is none, or its configuration is broken.
    """
    return load_access(connection.context, in_cluster=connection.incluster)


def client_for(connection: Connection, access: ClusterAccess | None = None) -> KubernetesClient:
    """A client that is not open yet.

    Args:
        connection: Which cluster, and how patient to be.
        access: What :func:`access_to` found, if it was asked already.

    Raises:
        ClusterConfigurationError: There is none, or its configuration is broken.
    """
    limits = Limits(retry=replace(STANDARD_RETRY, most=connection.retries))
    if connection.request_timeout is not None:
        limits = replace(limits, request_timeout=float(connection.request_timeout))
    return KubernetesClient(access or access_to(connection), limits=limits)
