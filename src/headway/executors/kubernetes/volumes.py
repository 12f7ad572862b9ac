"""The volumes of a pod and where its container mounts them."""

from collections.abc import Mapping
from typing import Any

from headway.config.checks import mounts, tmpfs_mebibytes
from headway.config.kubernetes import KubernetesSettings
from headway.config.spec_args import extra_volumes
from headway.executors.kubernetes.names import volume_name
from headway.executors.kubernetes.security import has_read_only_root

#: The in-pod runtime, one file from a config map.
RUNTIME_FILE = "runtime.pyz"
RUNTIME_PATH = f"/headway/{RUNTIME_FILE}"
#: The one folder that can be written whatever the image, its user and its root file system.
WORK_PATH = "/headway/work"

_TMP = "/tmp"  # noqa: S108 - a mount point, not a temporary file

Volumes = list[dict[str, Any]]


def volumes_and_mounts(settings: KubernetesSettings, runtime_config_map: str) -> tuple[Volumes, Volumes]:
    """The pod's volumes and the container's mounts, ours first."""
    volumes: Volumes = []
    found: Volumes = []

    def add(name: str, source: dict[str, Any], path: str, **options: Any) -> None:
        volumes.append({"name": name, **source})
        found.append({"name": name, "mountPath": path, **options})

    runtime = {"configMap": {"name": runtime_config_map, "defaultMode": 0o444}}
    # One file by subPath: a whole volume on /headway would leave no place to mount the work folder.
    add("headway-runtime", runtime, RUNTIME_PATH, subPath=RUNTIME_FILE, readOnly=True)
    add("headway-work", {"emptyDir": {}}, WORK_PATH)
    if has_read_only_root(settings) and _TMP not in {path.rstrip("/") for _, path in mounts(settings)}:
        add("headway-tmp", {"emptyDir": {}}, _TMP)
    if (size := tmpfs_mebibytes(settings)) is not None:
        add("tmpfs-ephemeral-volume", _in_memory(size), settings.tmpfs_path)
    if settings.shared_memory is not None:
        add("dhsm", _in_memory(settings.shared_memory), "/dev/shm")  # noqa: S108 - a mount point
    for claim, path in settings.persistent_volume_claims.items():
        add(volume_name(claim), {"persistentVolumeClaim": {"claimName": claim}}, path)
    volumes += (dict(volume) for volume in settings.volumes)
    found += (dict(mount) for mount in settings.volume_mounts)
    return volumes, found


def claims(settings: KubernetesSettings) -> list[str]:
    """The names of the volume claims that the pods use."""
    volumes = (*settings.volumes, *extra_volumes(settings))
    sources = [volume.get("persistentVolumeClaim") for volume in volumes]
    named = [str(source.get("claimName") or "") for source in sources if isinstance(source, Mapping)]
    return list(dict.fromkeys([*settings.persistent_volume_claims, *filter(None, named)]))


def _in_memory(mebibytes: int) -> dict[str, Any]:
    return {"emptyDir": {"medium": "Memory", "sizeLimit": f"{mebibytes}Mi"}}
