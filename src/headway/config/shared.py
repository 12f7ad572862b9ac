"""Whether pods see a folder of this machine: a volume that outlives them has to be mounted over it."""

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headway.config.kubernetes import KubernetesSettings

#: Volumes that are a pod's own, or that cannot be written: nothing in them reaches another pod.
_PRIVATE = frozenset({"emptyDir", "configMap", "secret", "downwardAPI", "projected", "ephemeral", "image"})


def unseen_folder(
    steps: "Mapping[str, KubernetesSettings]", here: Callable[[str], bool] = os.path.isdir
) -> Callable[[str], str]:
    """Tells why this machine and the pods of these steps do not see one folder, "" where all of them do.

    Args:
        steps: The settings of the steps that run as pods.
        here: Whether this machine has a folder; a run's launcher reads and writes there, too.
    """

    def why(root: str) -> str:
        folder = absolute(root)
        return next((words for name in steps if (words := _why_not(name, steps[name], folder, here))), "")

    return why


def absolute(folder: str) -> str:
    """The folder's whole path, as the datastore in it is opened."""
    return os.path.abspath(os.path.expanduser(folder))  # noqa: PTH100, PTH111 - as parse_location has it


def _why_not(step: str, settings: "KubernetesSettings", folder: str, here: Callable[[str], bool]) -> str:
    # The settings of pods take long to load: a run without pods does not.
    from headway.config.checks import mounts

    over = [path.rstrip("/") for _, path in mounts(settings)]
    covering = [path for path in over if folder == path or folder.startswith(f"{path}/")]
    if not covering:
        return f"the pods of step {step} mount nothing at {folder}"
    # Of nested mounts the inner one is what is seen.
    path = max(covering, key=len)
    claims = {mounted.rstrip("/") for mounted in settings.persistent_volume_claims.values()}
    if path in claims:
        return _there(step, path, here)
    mount = next((one for one in settings.volume_mounts if str(one["mountPath"]).rstrip("/") == path), None)
    if mount is None:
        return f"what the pods of step {step} mount at {path} is in memory and each pod's own"
    if mount.get("readOnly"):
        return f"the pods of step {step} may only read what they mount at {path}"
    kinds = next((set(one) for one in settings.volumes if one["name"] == mount["name"]), set())
    private = kinds & _PRIVATE
    if private:
        return f"what the pods of step {step} mount at {path} is each pod's own ({private.pop()})"
    return _there(step, path, here)


def _there(step: str, path: str, here: Callable[[str], bool]) -> str:
    # Made here it would hold the run's beginning unseen, and pods would wait for it in vain.
    if here(path):
        return ""
    return (
        f"this machine has no folder {path}, where the pods of step {step} mount a volume; the launcher keeps "
        "the run there as well, so mount the same volume here (or start the run in a pod that mounts it)"
    )
