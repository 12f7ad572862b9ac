"""What ``additional_pod_spec_args`` may say: all of a pod's spec but what a run itself depends on."""

from collections.abc import Iterator, Mapping

from headway.config.kubernetes import KubernetesSettings
from headway.errors import SettingsError

_SETTING = "additional_pod_spec_args"

#: Parts of a pod's spec that the launcher and the pod's supervisor go by too, and what says them to all of these.
_OWN_SETTINGS = {
    "activeDeadlineSeconds": "active_deadline_seconds",
    "terminationGracePeriodSeconds": "termination_grace_period_seconds",
}

#: The fields of a pod's spec by what they are, as of Kubernetes 1.36:
#: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1
_LISTS = frozenset({
    "containers", "ephemeralContainers", "hostAliases", "imagePullSecrets", "initContainers", "readinessGates",
    "resourceClaims", "schedulingGates", "tolerations", "topologySpreadConstraints", "volumes",
})  # fmt: skip
_DICTS = frozenset(
    {"affinity", "dnsConfig", "nodeSelector", "os", "overhead", "resources", "securityContext"}
)
_SINGLE = frozenset({
    "automountServiceAccountToken", "dnsPolicy", "enableServiceLinks", "hostIPC", "hostNetwork", "hostPID",
    "hostUsers", "hostname", "hostnameOverride", "nodeName", "preemptionPolicy", "priority", "priorityClassName",
    "restartPolicy", "runtimeClassName", "schedulerName", "serviceAccount", "serviceAccountName",
    "setHostnameAsFQDN", "shareProcessNamespace", "subdomain",
})  # fmt: skip


def check_spec_args(step_name: str, settings: KubernetesSettings, source: str) -> None:
    """Refuse what a run could not keep its promises with, and what the API server would not understand.

    A field that is not known here is the API server's to judge, as a newer one may know it; one that looks
    misspelt is refused, before anything runs.

    Args:
        step_name: The step, for words.
        settings: Its settings.
        source: Where the argument was written.

    Raises:
        SettingsError: A part of it has a setting of its own, is not what Kubernetes has there, or would have
            the node start a task again by itself.
    """
    for part, value in settings.additional_pod_spec_args.items():
        why, hint = _trouble(part, value)
        if why:
            raise SettingsError(_SETTING, {part: value}, f"{why} (step {step_name})", source, hint)


def extra_volumes(settings: KubernetesSettings) -> Iterator[Mapping[str, object]]:
    """The volumes that it adds."""
    volumes = settings.additional_pod_spec_args.get("volumes")
    for volume in volumes if isinstance(volumes, list) else ():
        if isinstance(volume, Mapping):
            yield volume


def extra_text(settings: KubernetesSettings, part: str) -> str:
    """What it says of a part that is a text, "" where it says nothing."""
    value = settings.additional_pod_spec_args.get(part)
    return value if isinstance(value, str) else ""


def _trouble(part: str, value: object) -> tuple[str, str | None]:
    """Why a part cannot be said like this and what to do, ("", None) where it can."""
    if part in _OWN_SETTINGS:
        why = f"{part} has a setting of its own, by which the pod's supervisor goes"
        return why, f"Write {_OWN_SETTINGS[part]}={value!r} in its place."
    if part == "restartPolicy" and value != "Never":
        why = "no node starts a task again by itself, so the restart policy of its pods is always Never"
        return why, "@retry(times=…) says how often a task is tried again, each time in another pod."
    if part in _LISTS and not isinstance(value, list):
        return f"{part} is a list, which is added to that of the pod", f"Write {part} with [ and ] around it."
    if part in _DICTS and not isinstance(value, Mapping):
        return f"{part} is a dict, which is joined with that of the pod", None
    return _misspelt(part)


def _misspelt(part: str) -> tuple[str, str | None]:
    known = _LISTS | _DICTS | _SINGLE
    if part in known:
        return "", None
    from difflib import get_close_matches  # for those who misspell

    near = get_close_matches(part, sorted(known | _OWN_SETTINGS.keys()), 1, cutoff=0.8)
    return (f"a pod's spec has no {part}", f"Did you mean {near[0]}?") if near else ("", None)
