"""What settings must hold together, once each one is valid by itself."""

from collections.abc import Mapping

from headway.config.container import allowed, memory_megabytes
from headway.config.kubernetes import KubernetesSettings
from headway.config.spec_args import check_spec_args, extra_volumes
from headway.errors import SettingsError

#: Names of volumes that Headway makes itself; with ``headway-`` before them also others.
OWN_VOLUMES = ("dhsm", "tmpfs-ephemeral-volume")

#: Paths in the container that Headway mounts itself.
OWN_PATHS = ("/headway",)


def with_registry(image: str, registry: str | None) -> str:
    """The image with the registry before it, unless it names one itself: ``host:port/name``, ``a.b/name``."""
    if registry is None:
        return image
    first, slash, _ = image.partition("/")
    if slash and (first == "localhost" or "." in first or ":" in first):
        return image
    return f"{registry.rstrip('/')}/{image}"


def tmpfs_mebibytes(settings: KubernetesSettings) -> int | None:
    """The size of the file system in memory, None where there is none."""
    if not settings.use_tmpfs and settings.tmpfs_size is None:
        return None
    return settings.tmpfs_size or max(1, memory_megabytes(settings) // 2)


def mounts(settings: KubernetesSettings) -> list[tuple[str, str]]:
    """Every (setting, path) that the user has mounted."""
    found = [("persistent_volume_claims", path) for path in settings.persistent_volume_claims.values()]
    if tmpfs_mebibytes(settings) is not None:
        found.append(("tmpfs_path", settings.tmpfs_path))
    if settings.shared_memory is not None:
        found.append(("shared_memory", "/dev/shm"))  # noqa: S108 - a mount point, not a temporary file
    found += [("volume_mounts", str(mount["mountPath"])) for mount in settings.volume_mounts]
    return found


def check_together(step_name: str, settings: KubernetesSettings, provenance: Mapping[str, str]) -> None:
    """Refuse settings that exclude each other.

    Raises:
        SettingsError: Naming the step, the setting and where it was written.
    """
    check_spec_args(step_name, settings, provenance["additional_pod_spec_args"])
    _check_volume_names(step_name, settings, provenance)
    taken: dict[str, str] = {}
    for field, written in mounts(settings):
        path = written.rstrip("/")
        if any(path == own or path.startswith(own + "/") for own in OWN_PATHS):
            raise SettingsError(
                field, written, f"Headway keeps its own files there (step {step_name})", provenance[field]
            )
        if path in taken:
            raise SettingsError(
                field,
                written,
                f"{taken[path]} is mounted there already (step {step_name})",
                provenance[field],
            )
        taken[path] = field


def _check_volume_names(step_name: str, settings: KubernetesSettings, provenance: Mapping[str, str]) -> None:
    seen = set(settings.persistent_volume_claims)
    named = [
        *(("volumes", volume) for volume in settings.volumes),
        *(("additional_pod_spec_args", volume) for volume in extra_volumes(settings)),
    ]
    for field, volume in named:
        name = str(volume.get("name", ""))
        if not name:
            # Of these the API server complains in its own words.
            continue
        if name in seen or name in OWN_VOLUMES or name.startswith("headway-"):
            allowed = f"the name of a volume stands for one volume, and this one is taken (step {step_name})"
            raise SettingsError(field, name, allowed, provenance[field])
        seen.add(name)


def memory_warnings(step_name: str, settings: KubernetesSettings) -> tuple[str, ...]:
    """A warning where files in memory could take more than the memory asked for."""
    in_memory = (tmpfs_mebibytes(settings) or 0) + (settings.shared_memory or 0)
    memory = memory_megabytes(settings)
    if in_memory * 2**20 <= memory * 10**6:
        return ()
    has = "asks for only" if allowed(settings, "memory") is None else "may hold only"
    warning = (
        f"Step {step_name}: tmpfs and shared memory may grow to {in_memory} MiB, and the pod {has} "
        f"{memory} MB of memory; what is written there counts as its memory."
    )
    return (warning,)
