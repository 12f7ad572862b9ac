"""Why a Job is refused its pods, from its FailedCreate events, or is refused itself: pure.

A refusal by what was asked for is a wrong configuration; one by somebody's trouble (a webhook that is
down, a full quota) is waited for.
"""

import re
from dataclasses import dataclass

from headway.config.quantities import quantity
from headway.executors.kubernetes.api.errors import (
    ApiError,
    Forbidden,
    Invalid,
    NotFound,
    QuotaExceeded,
    ServerError,
)
from headway.executors.kubernetes.invalid_job import (
    complaints_of,
    hint_for,
    hint_of,
    unknown_fields,
    words_of,
)

_PREFIX = re.compile(
    r"^Error creating: |^Kubernetes (?:refused to|could not|failed to) \w+ \S+[^:]*: |"
    r'^(?:pods|jobs\.batch|secrets) "[^"]*" is forbidden: '
)
_QUOTA = re.compile(r"exceeded quota: ([^,]+), requested: (.+), used: (.+), limited: (.+)")
#: What a quota measures; all else it counts.
_MEASURED = ("requests.", "limits.", "cpu", "memory", "ephemeral-storage")
_TRANSIENT = re.compile(
    r"failed calling webhook|internal error occurred|etcdserver|timeout|timed out|connection refused|"
    r"connection reset|unable to handle the request|deadline exceeded|too many requests|please try again|"
    r"object has been modified|no endpoints available|service unavailable|quota.*conflict|"
    r"status unknown for quota|unable to get quota",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal, read.

    Attributes:
        reason: One word for each trouble: "Quota", "PodSecurity", "Webhook", …
        words: Why, for people.
        hint: What to do.
        waits: Whether it is waited for as long as it takes; else it is a wrong configuration.
    """

    reason: str
    words: str
    hint: str
    waits: bool = False


def job_refusal(error: ApiError) -> Refusal | None:
    """Read why a Job itself, or a pod that is asked about, is not created; None where the API's own words are as good.

    Policies, quotas and a namespace that goes away may stand in the way of Jobs as of pods.
    """
    if (
        isinstance(error, Invalid)
        and error.kind in ("jobs", "pods")
        and error.details
        and error.details.causes
    ):
        why = refusal(complaints_of(error))
        # What is valid in a Job and not in its pod was changed in between.
        changed = error.kind == "pods" and why.reason == "LimitRange"
        return why if changed else Refusal("Invalid", words_of(error), hint_of(error))
    if unknown := unknown_fields(error.message):
        return Refusal("Invalid", f"the cluster knows no field {', '.join(unknown)}", hint_for(unknown))
    by_role = isinstance(error, Forbidden) and error.user is not None
    # A webhook's denial may have any status.
    denied = "denied the request" in error.message
    if by_role or not (denied or isinstance(error, Forbidden | QuotaExceeded | NotFound | ServerError)):
        return None
    why = refusal(error.message)
    # A server in trouble is not waited for without end: its own words are kept.
    as_good = why.reason == "FailedCreate" or (why.reason == "ApiServer" and isinstance(error, ServerError))
    return None if as_good else why


def refusal(message: str) -> Refusal:
    """Read the message of a FailedCreate event."""
    said = message.strip()
    while (shorter := _PREFIX.sub("", said)) != said:
        said = shorter
    if "exceeded quota" in said:
        return _quota(said)
    if "violates PodSecurity" in said:
        return Refusal(
            "PodSecurity",
            f"the namespace's Pod Security forbids the pod: {said}",
            "Remove what it names (privileged, host_ipc, security_context …), or set security_profile=restricted.",
        )
    for pattern, reason, words, hint in _CAUSES:
        if re.search(pattern, said, re.IGNORECASE):
            return Refusal(reason, f"{words}: {said}", hint)
    if _TRANSIENT.search(said):
        webhook = "webhook" in said.lower()
        return Refusal(
            "Webhook" if webhook else "ApiServer",
            f"{'a webhook that must agree does not answer' if webhook else 'the cluster is in trouble'}: {said}",
            "Waiting goes on until it answers again; nothing is wrong with the step.",
            waits=True,
        )
    return Refusal(
        "FailedCreate", said or "no reason given", "Ask the cluster's administrator what forbids it."
    )


_CAUSES: tuple[tuple[str, str, str, str], ...] = (
    (
        r"failed quota: .* must specify",
        "QuotaNeedsLimits",
        "the namespace's quota wants every pod to name its limits",
        "Set qos=Guaranteed, which makes limits of the requests, or resources={…}.",
    ),
    (
        r"service ?account .* not found|error looking up service account",
        "ServiceAccount",
        "its service account does not exist",
        "Create it in the namespace (kubectl create serviceaccount …), or name another with service_account=….",
    ),
    (
        r"PriorityClass",
        "PriorityClass",
        "its priority class cannot be used",
        "kubectl get priorityclasses shows those that exist; priority_class_name= names one.",
    ),
    (
        r"security context constraint",
        "SecurityContextConstraint",
        "OpenShift's security context constraints forbid the pod",
        "Set restricted_uid=0, which leaves uid and gid to the platform, or use a service account that may.",
    ),
    (
        r"(maximum|minimum) \S+ usage per|max limit to request ratio",
        "LimitRange",
        "the namespace's limit range forbids what it asks for",
        "Ask for as much as it allows: kubectl describe limitrange.",
    ),
    (
        r"must be less than or equal to \S+ limit of",
        "LimitRange",
        "it asks for more than its limit, which the namespace's limit range may have set",
        "Ask for less, or set the limit: qos=Guaranteed makes it what is asked for. kubectl describe limitrange.",
    ),
    (
        r"admission webhook .* denied|denied (the )?request",
        "Denied",
        "a policy of the cluster forbids it",
        "The words are the policy's own; its owner knows what it wants.",
    ),
    (
        r"namespace .* is being terminated",
        "Namespace",
        "its namespace is being deleted",
        "Name another with namespace=… or HEADWAY_KUBERNETES_NAMESPACE.",
    ),
    (
        r"namespaces? .* not found",
        "Namespace",
        "its namespace does not exist",
        "Create it (kubectl create namespace …), or name another with namespace=….",
    ),
)


def _quota(said: str) -> Refusal:
    found = _QUOTA.search(said)
    if found is None:
        return Refusal("Quota", said, "Waiting goes on until others free some.", waits=True)
    name = found.group(1)
    requested, used, limited = (_pairs(text) for text in found.groups()[1:])
    words = [
        f"{key}: it asks for {amount}, {used.get(key, '?')} of {limited.get(key, '?')} is in use"
        for key, amount in requested.items()
    ]
    never = [key for key, amount in requested.items() if _never(key, amount, limited.get(key))]
    told = f"the namespace's quota {name} is used up ({'; '.join(words)})"
    if never:
        return Refusal(
            "QuotaTooSmall",
            f"it asks for more than the namespace's whole quota {name} ({'; '.join(words)})",
            f"Ask for less {', '.join(never)}, or have the quota raised: kubectl describe quota {name}.",
        )
    return Refusal(
        "Quota",
        told,
        "Waiting goes on until others free some; ask for less, or have the quota raised (kubectl describe quota).",
        waits=True,
    )


def _pairs(text: str) -> dict[str, str]:
    """``a=1,b=2`` as a dict."""
    return dict(item.split("=", 1) for item in text.strip().split(",") if "=" in item)


def _never(resource: str, amount: str, limit: str | None) -> bool:
    """Whether so much is more than there will ever be.

    A count of zero (pods, Jobs) is how people hold a namespace back for a while; none of a resource is a statement.
    """
    asked, allowed = quantity(amount), quantity(limit or "")
    if asked is None or allowed is None or asked <= allowed:
        return False
    return allowed > 0 or resource.startswith(_MEASURED)
