"""The manifests of a step before there is a run, as YAML that ``kubectl`` takes."""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from headway.config.kubernetes import KubernetesSettings
from headway.executors.kubernetes.gangs import gang_service
from headway.executors.kubernetes.manifest import PodPlan, job_manifest
from headway.executors.kubernetes.names import runtime_config_map_name
from headway.store import layout
from headway.store.batch import Batch

#: Stands for the uid that the Job will have.
_NOT_YET = "00000000-0000-0000-0000-000000000000"


def preview_manifests(
    settings: KubernetesSettings, batch: Batch, datastore: str, pod_env: Mapping[str, str], runtime: str
) -> list[dict[str, Any]]:
    """What the executor would create for a batch, made by the same functions.

    Args:
        settings: The step's settings.
        batch: The batch.
        datastore: The datastore's root.
        pod_env: Environment that pods need to reach it.
        runtime: The hash of the in-pod runtime.
    """
    plan = PodPlan(
        runtime_config_map=runtime_config_map_name(runtime),
        datastore=datastore,
        batch_key=layout.batch(batch.flow, batch.run, batch.name),
        env=pod_env,
        parallelism=len(batch.tasks),
    )
    job = job_manifest(settings, batch, plan)
    return [job] if batch.gang is None else [job, gang_service(settings, batch, batch.gang, _NOT_YET)]


def as_yaml(manifests: Iterable[Mapping[str, Any]]) -> str:
    """Manifests as YAML documents, each begun by ``---``."""
    return "".join("---\n" + _dump(manifest) for manifest in manifests)


def _dump(manifest: Mapping[str, Any]) -> str:
    return str(yaml.dump(manifest, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110))


class _Plain(yaml.SafeDumper):
    """Writes shared values out each time: anchors are for machines."""

    def ignore_aliases(self, data: Any) -> bool:
        return True
