"""The security contexts of pod and container: a profile, and the user's own fields over it.

The default profile asks for nothing that an image cannot give: no privilege escalation, the runtime's
seccomp profile, the image's own user. The restricted profile meets Pod Security *restricted*.
"""

from typing import Any

from headway.config.kubernetes import KubernetesSettings

_SECCOMP = {"seccompProfile": {"type": "RuntimeDefault"}}


def is_restricted(settings: KubernetesSettings) -> bool:
    """Whether the restricted profile applies; ``auto`` is the default one until a namespace refuses it."""
    return settings.security_profile == "restricted"


def pod_security_context(settings: KubernetesSettings) -> dict[str, Any]:
    """The pod's part; empty in the default profile."""
    if not is_restricted(settings):
        return {}
    uid = settings.restricted_uid
    # Without a uid the platform gives one (OpenShift does, from the namespace's range).
    own = (
        {"runAsUser": uid, "runAsGroup": uid, "fsGroup": uid, "fsGroupChangePolicy": "OnRootMismatch"}
        if uid
        else {}
    )
    return {"runAsNonRoot": True, **own, **_SECCOMP}


def container_security_context(settings: KubernetesSettings) -> dict[str, Any]:
    """The container's part, the user's fields over the profile's."""
    own: dict[str, Any] = dict(settings.security_context)
    if settings.privileged:
        own["privileged"] = True
    profile: dict[str, Any] = {"allowPrivilegeEscalation": False, **_SECCOMP}
    added = own.get("capabilities", {}).get("add", [])
    if own.get("privileged") or not {"CAP_SYS_ADMIN", "SYS_ADMIN"}.isdisjoint(added):
        # The API server takes these only together with privilege escalation.
        del profile["allowPrivilegeEscalation"]
    if is_restricted(settings):
        profile |= {"runAsNonRoot": True}
        # What is added is what is left of all that is dropped.
        own["capabilities"] = {**own.get("capabilities", {}), "drop": ["ALL"]}
    return {**profile, **own}


def has_read_only_root(settings: KubernetesSettings) -> bool:
    """Whether the container's own files cannot be written."""
    return settings.security_context.get("readOnlyRootFilesystem") is True
