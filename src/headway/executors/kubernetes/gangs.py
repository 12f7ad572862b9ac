"""What a gang's Job has beyond any other's: its counting, its names, its Service; pure functions of the batch."""

from collections.abc import Mapping
from typing import Any

from headway.config.kubernetes import KubernetesSettings
from headway.executors.kubernetes.labels import labels_of
from headway.executors.kubernetes.names import job_of
from headway.store.batch import Batch, Gang

_DOMAIN = "svc.cluster.local"


def gang_completion(ranks: int, container: str) -> dict[str, Any]:
    """How the Job counts its pods: the first whose step fails ends the others, launcher or not.

    A pod whose step did well, and a container beside it did not, fails by itself alone.

    Args:
        ranks: How many pods.
        container: The name of the container that runs the step.
    """
    disrupted = [{"type": "DisruptionTarget", "status": "True"}]
    badly = {"containerName": container, "operator": "NotIn", "values": [0]}
    return {
        "completions": ranks,
        "parallelism": ranks,
        "completionMode": "Indexed",
        "backoffLimitPerIndex": 0,
        "podFailurePolicy": {
            "rules": [
                {"action": "FailJob", "onPodConditions": disrupted},
                {"action": "FailJob", "onExitCodes": badly},
            ]
        },
    }


def gang_environment(settings: KubernetesSettings, batch: Batch, gang: Gang) -> list[dict[str, Any]]:
    """What is known of the gang before a pod of it runs; the runtime adds each rank's own.

    Rank 0's name is for init scripts and sidecars: the step itself is given the address.
    """
    name = job_of(settings, batch)
    values = {
        "MF_MASTER_ADDR": f"{name}-0.{name}.{settings.namespace}.{_DOMAIN}",
        "MF_MASTER_PORT": str(gang.port),
        "MF_WORLD_SIZE": str(len(batch.tasks)),
        "MF_PARALLEL_CONTROL_TASK_ID": batch.tasks[0].task,
    }
    address = {"name": "HEADWAY_POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    return [address, *({"name": name, "value": value} for name, value in values.items())]


def gang_service(settings: KubernetesSettings, batch: Batch, gang: Gang, owner: str) -> dict[str, Any]:
    """The headless Service that gives each rank a name, ``<job>-<rank>.<job>``, before it is ready.

    Args:
        settings: The step's settings.
        batch: The batch.
        gang: Where its ranks meet.
        owner: The uid of the gang's Job: the Service goes with it.
    """
    name = job_of(settings, batch)
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": settings.namespace,
            "labels": labels_of(batch, settings.labels),
            "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": owner}],
        },
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": True,
            "selector": selector(name),
            "ports": [{"name": "rendezvous", "port": gang.port}],
        },
    }


def selector(job: str) -> Mapping[str, str]:
    """The labels by which a Job's pods are found."""
    return {"batch.kubernetes.io/job-name": job}
