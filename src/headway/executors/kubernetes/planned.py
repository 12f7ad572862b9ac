"""From a Job in hand to what is created for it: the same for a run and for a dry run; pure."""

from collections.abc import Mapping
from typing import Any

from headway.config.fields import replace
from headway.config.kubernetes import KubernetesSettings
from headway.executors.kubernetes.deadlines import warm_deadline
from headway.executors.kubernetes.manifest import PodPlan, job_manifest
from headway.executors.kubernetes.tracked import TrackedJob
from headway.store.batch import Batch
from headway.store.stored_batch import address_of


def planned_job(
    job: TrackedJob, runtime_config_map: str, datastore: str, pod_env: Mapping[str, str]
) -> dict[str, Any]:
    """The manifest of a Job.

    Args:
        job: The Job, with the pods that it may have at a time.
        runtime_config_map: The config map that carries the in-pod runtime.
        datastore: The datastore's root.
        pod_env: Environment that pods need to reach it.
    """
    plan = PodPlan(
        runtime_config_map=runtime_config_map,
        datastore=datastore,
        batch_key=address_of(job.batch),
        env=pod_env,
        own=_warm(job) if job.inbox else {},
        parallelism=job.parallelism,
        deadline_seconds=warm_deadline(job.settings) if job.inbox else None,
    )
    return job_manifest(job.settings, job.batch, plan)


def for_batch(settings: KubernetesSettings, batch: Batch) -> KubernetesSettings:
    """How the pods of a batch are to be: as the step says, with more memory where it ran out before."""
    return settings if batch.memory is None else replace(settings, memory=batch.memory)


def with_lent(
    settings: Mapping[str, KubernetesSettings], secret: str | None
) -> dict[str, KubernetesSettings]:
    """The steps' settings, with the Secret that lends their pods the launcher's credentials, if there is one."""
    lent = (secret,) if secret else ()
    return {step: replace(own, secrets=(*own.secrets, *lent)) for step, own in settings.items()}


def _warm(job: TrackedJob) -> dict[str, str]:
    """What a warm pod is told beside what every pod is."""
    return {
        "HEADWAY_INBOX": job.inbox,
        "HEADWAY_IDLE_TIMEOUT": str(job.idle_timeout),
        "HEADWAY_POD_LIMIT": str(job.settings.active_deadline_seconds),
    }
