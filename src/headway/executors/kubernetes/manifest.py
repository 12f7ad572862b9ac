"""The manifests that a batch of attempts becomes: pure functions of settings, batch and plan.

No value of a user's reaches a shell or a command line: what the pod is to do stands in the datastore
under the batch's key, and the pod is told the key.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headway.config.container import container_resources
from headway.config.kubernetes import KubernetesSettings
from headway.config.spec_args import extra_text
from headway.executors.kubernetes.command import container_command
from headway.executors.kubernetes.deadlines import job_deadline, pod_deadline
from headway.executors.kubernetes.environment import container_env
from headway.executors.kubernetes.gangs import gang_completion, gang_environment
from headway.executors.kubernetes.labels import COMMON, annotations_of, labels_of
from headway.executors.kubernetes.names import container_name, job_of
from headway.executors.kubernetes.placement import affinity, node_selector
from headway.executors.kubernetes.security import container_security_context, pod_security_context
from headway.executors.kubernetes.volumes import RUNTIME_FILE, volumes_and_mounts
from headway.store.batch import Batch


@dataclass(frozen=True)
class PodPlan:
    """What a Job needs to know beyond the step's settings and the batch.

    Attributes:
        runtime_config_map: The config map that carries the in-pod runtime.
        datastore: The datastore's root URL.
        batch_key: Where in it the batch is stored, as :func:`headway.store.stored_batch.address_of` says it.
        env: The way to the datastore as the launcher has it (endpoint, region, proxies); a step may say otherwise.
        own: Environment that the in-pod runtime goes by.
        parallelism: How many of the Job's pods may run at once.
        deadline_seconds: How long each pod may run; by default
            :func:`~headway.executors.kubernetes.deadlines.pod_deadline`.
    """

    runtime_config_map: str
    datastore: str
    batch_key: str
    env: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, str] = field(default_factory=dict)
    parallelism: int = 1
    deadline_seconds: int | None = None


def job_manifest(settings: KubernetesSettings, batch: Batch, pod: PodPlan) -> dict[str, Any]:
    """The Job of a batch: a plain one for one task, an indexed one for several.

    The Job controller never starts an index again, whatever ended its pod: only the launcher mints
    attempts. One failed index stops no other.
    """
    deadline = pod.deadline_seconds or pod_deadline(settings, batch)
    labels = labels_of(batch, settings.labels)
    annotations = annotations_of(batch, settings.annotations)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_of(settings, batch),
            "namespace": settings.namespace,
            "labels": labels,
            "annotations": annotations,
        },
        "spec": {
            **(
                _completion(len(batch.tasks), pod.parallelism)
                if batch.gang is None
                else gang_completion(len(batch.tasks), container_name(batch.step))
            ),
            "podReplacementPolicy": "Failed",
            "ttlSecondsAfterFinished": settings.ttl_seconds_after_finished,
            "activeDeadlineSeconds": job_deadline(settings, deadline, len(batch.tasks)),
            "template": {
                "metadata": {"labels": labels, "annotations": annotations},
                "spec": pod_spec(settings, batch, pod, deadline),
            },
        },
    }


def pod_spec(settings: KubernetesSettings, batch: Batch, pod: PodPlan, deadline: int) -> dict[str, Any]:
    """The spec of the pods of a batch; fields that say nothing are left out."""
    volumes, mounts = volumes_and_mounts(settings, pod.runtime_config_map)
    container = {
        "name": container_name(batch.step),
        "image": settings.image,
        "imagePullPolicy": settings.image_pull_policy,
        "command": container_command(settings),
        "env": [
            *container_env(settings, batch.step, pod.datastore, pod.batch_key, pod.env, batch.env, pod.own),
            *([] if batch.gang is None else gang_environment(settings, batch, batch.gang)),
        ],
        "envFrom": [
            *({"secretRef": {"name": secret}} for secret in settings.secrets),
            *settings.env_from,
        ],
        "ports": [{"containerPort": settings.port}] if settings.port else [],
        "resources": container_resources(settings),
        "securityContext": container_security_context(settings),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": mounts,
    }
    spec = {
        "restartPolicy": "Never",
        # With the gang's Service of this name, each rank's host name is one that the others can resolve.
        "subdomain": None if batch.gang is None else job_of(settings, batch),
        "activeDeadlineSeconds": deadline,
        "terminationGracePeriodSeconds": settings.termination_grace_period_seconds,
        "enableServiceLinks": False,
        "serviceAccountName": settings.service_account,
        # A token is a key to the cluster: only who names an account gets one.
        "automountServiceAccountToken": bool(
            settings.service_account or extra_text(settings, "serviceAccountName")
        ),
        "nodeSelector": node_selector(settings),
        "affinity": affinity(settings),
        "tolerations": list(settings.tolerations),
        "topologySpreadConstraints": list(settings.topology_spread_constraints),
        "priorityClassName": settings.priority_class_name,
        "schedulerName": settings.scheduler_name,
        "hostIPC": settings.host_ipc or None,
        "securityContext": pod_security_context(settings),
        "imagePullSecrets": [{"name": secret} for secret in settings.image_pull_secrets],
        "containers": [_said(container)],
        "volumes": volumes,
    }
    return _extended(_said(spec), settings.additional_pod_spec_args, settings.image)


def runtime_config_map(name: str, namespace: str, data: bytes) -> dict[str, Any]:
    """The immutable config map that carries the in-pod runtime.

    Args:
        name: Its name, from the content's hash.
        namespace: Where the pods run.
        data: The archive; Kubernetes takes up to 1 MiB.
    """
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(COMMON)},
        "immutable": True,
        "binaryData": {RUNTIME_FILE: base64.b64encode(data).decode()},
    }


def _completion(tasks: int, parallelism: int) -> dict[str, Any]:
    """How the Job counts its pods; a disruption (eviction, preemption, lost node) ends an index too."""
    disrupted = [{"type": "DisruptionTarget", "status": "True"}]
    if tasks == 1:
        return {
            "completions": 1,
            "parallelism": min(parallelism, 1),
            "backoffLimit": 0,
            "podFailurePolicy": {"rules": [{"action": "FailJob", "onPodConditions": disrupted}]},
        }
    return {
        "completions": tasks,
        "parallelism": min(parallelism, tasks),
        "completionMode": "Indexed",
        "backoffLimitPerIndex": 0,
        "podFailurePolicy": {"rules": [{"action": "FailIndex", "onPodConditions": disrupted}]},
    }


def _said(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that say something: None, empty lists and empty maps are left out."""
    return {key: value for key, value in fields.items() if value is not None and value not in ([], {})}


def _extended(spec: dict[str, Any], extra: Mapping[str, Any], image: str) -> dict[str, Any]:
    """The spec with a person's own pieces: lists extended, maps updated, all else replaced."""
    for key, template in extra.items():
        value = _with_image(template, image)
        present = spec.get(key)
        if isinstance(present, list) and isinstance(value, list):
            spec[key] = [*present, *value]
        elif isinstance(present, dict) and isinstance(value, dict):
            spec[key] = {**present, **value}
        else:
            spec[key] = value
    return spec


def _with_image(value: Any, image: str) -> Any:
    if isinstance(value, str):
        return value.replace("{{ image }}", image)
    if isinstance(value, list):
        return [_with_image(item, image) for item in value]
    if isinstance(value, dict):
        return {key: _with_image(item, image) for key, item in value.items()}
    return value
