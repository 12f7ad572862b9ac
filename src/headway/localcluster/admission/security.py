"""The restricted Pod Security Standard, enforced where a namespace's label asks for it."""

from __future__ import annotations

from headway.localcluster.objects.failures import ApiError, forbidden
from headway.localcluster.objects.meta import Object

_LABEL = "pod-security.kubernetes.io/enforce"
_WARN = "pod-security.kubernetes.io/warn"
_PRIVILEGE = "allowPrivilegeEscalation != false ({} must set securityContext.allowPrivilegeEscalation=false)"
_CAPABILITIES = 'unrestricted capabilities ({} must set securityContext.capabilities.drop=["ALL"])'
_NON_ROOT = "runAsNonRoot != true (pod or {} must set securityContext.runAsNonRoot=true)"
_SECCOMP = (
    "seccompProfile (pod or {} must set securityContext.seccompProfile.type "
    'to "RuntimeDefault" or "Localhost")'
)
_ROOT_USER = "runAsUser=0 ({} must not set runAsUser=0)"
_HOST_PATH = 'restricted volume types (volume{} {} use{} restricted volume type "hostPath")'


def check(namespace: Object, pod: Object) -> None:
    """Refuse a pod that the namespace's security level forbids.

    Only the level `restricted` is checked; `baseline` and `privileged` let everything pass.

    Raises:
        ApiError: 403 with the violations in Kubernetes' words.
    """
    if (namespace["metadata"].get("labels") or {}).get(_LABEL) != "restricted":
        return
    violations = restricted_violations(pod["spec"])
    if violations:
        raise _violation(pod["metadata"]["name"], violations)


def warning(namespace: Object, spec: Object) -> str | None:
    """The warning for a template whose pods the namespace's level would refuse; None if it would not.

    Args:
        namespace: The namespace.
        spec: The pod spec in the template.
    """
    labels = namespace["metadata"].get("labels") or {}
    if "restricted" not in (labels.get(_WARN), labels.get(_LABEL)):
        return None
    violations = restricted_violations(spec)
    return f'would violate PodSecurity "restricted:latest": {", ".join(violations)}' if violations else None


def _violation(name: str, violations: list[str]) -> ApiError:
    return forbidden("", "pods", name, f'violates PodSecurity "restricted:latest": {", ".join(violations)}')


def restricted_violations(spec: Object) -> list[str]:
    """What in a pod's spec the restricted standard refuses."""
    pod = spec.get("securityContext") or {}
    containers = [*(spec.get("initContainers") or ()), *spec["containers"]]
    contexts = {container["name"]: container.get("securityContext") or {} for container in containers}
    escalating = [name for name, own in contexts.items() if own.get("allowPrivilegeEscalation") is not False]
    capable = [
        name
        for name, own in contexts.items()
        if "ALL" not in ((own.get("capabilities") or {}).get("drop") or ())
    ]
    rootable = [
        name for name, own in contexts.items() if own.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True
    ]
    roots = [name for name, own in contexts.items() if own.get("runAsUser", pod.get("runAsUser")) == 0]
    unconfined = [
        name
        for name, own in contexts.items()
        if (own.get("seccompProfile") or pod.get("seccompProfile") or {}).get("type")
        not in ("RuntimeDefault", "Localhost")
    ]
    checks = (
        (_PRIVILEGE, escalating),
        (_CAPABILITIES, capable),
        (_NON_ROOT, rootable),
        (_ROOT_USER, roots),
        (_SECCOMP, unconfined),
    )
    found = [template.format(_named("container", names)) for template, names in checks if names]
    host_paths = [volume["name"] for volume in spec.get("volumes") or () if volume.get("hostPath")]
    if host_paths:
        plural, verb = ("s", "") if len(host_paths) > 1 else ("", "s")
        quoted = ", ".join(f'"{name}"' for name in host_paths)
        found.insert(2, _HOST_PATH.format(plural, quoted, verb))
    return found


def _named(noun: str, names: list[str]) -> str:
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"{noun}{'s' if len(names) > 1 else ''} {quoted}"
