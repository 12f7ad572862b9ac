"""Why a pod does not run yet, from its own state: pure, in words for people.

Each cause says how long it is waited for and whose budget it spends once that is over. What a
registry, a scheduler or an administrator may mend by itself is waited for as long as it takes.
"""

import re
from collections.abc import Container
from dataclasses import dataclass, replace

from headway.executors.kubernetes.api.types import Condition, ContainerStateWaiting, ContainerStatus, Pod
from headway.executors.kubernetes.pod_images import cause_of, pull_trouble
from headway.executors.kubernetes.pod_states import has_run, init_waiting, is_over, status_of
from headway.executors.kubernetes.scheduling import explain
from headway.executors.kubernetes.start_words import MORE_MEMORY, start_trouble
from headway.store.records import CONFIGURATION, INFRASTRUCTURE, OUT_OF_MEMORY, RESOURCES

#: The kubelet's words while it cannot pull an image; it alternates between the first two for one trouble.
_PULL_REASONS = ("ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "SignatureValidationFailed")
_HOPELESS_IMAGES = ("InvalidImageName", "ErrImageNeverPull")
_UNMADE = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "CreatePodSandboxError")

_MISSING = re.compile(r"(secret|configmap) \"([^\"]+)\" not found", re.IGNORECASE)
_MISSING_KEY = re.compile(r"find key (\S+) in (Secret|ConfigMap) (\S+)")
#: What the kubelet says while it has not heard of the cluster's secrets and services yet.
_NOT_HEARD = re.compile(r"timed out waiting|not yet been read", re.IGNORECASE)

#: Seconds for which a volume, a network or a container that its node cannot set up is waited for.
TROUBLE_PATIENCE = 600.0

#: What is added where a pod waits for a node.
GOES_ON = " Waiting goes on, as a node may come or get room."


@dataclass(frozen=True, slots=True)
class Standstill:
    """Why a pod does not run yet.

    Attributes:
        reason: Kubernetes' word, one for each trouble.
        message: For people.
        patience: Seconds to wait before the attempt counts as failed, None for as long as it takes.
        hint: What to do about it.
        kind: The class of that failure.
        vague: Whether the cause is not told; what was known of the same trouble before then stands.
        fixed: Whether all nodes are ruled out by what they are, not by what runs on them.
        unbound: Whether it is for want of a volume; the events of the pod's claims may say why.
        detail: What the node says of it in its own words, where the message is ours.
    """

    reason: str
    message: str
    patience: float | None = None
    hint: str = ""
    kind: str = CONFIGURATION
    vague: bool = False
    fixed: bool = False
    unbound: bool = False
    detail: str = ""

    @property
    def in_full(self) -> str:
        """The message with the node's own words."""
        return f"{self.message} ({self.detail})" if self.detail else self.message

    @property
    def advice(self) -> str:
        """What to do, and the node's own words: of a failure they stand here, as its message is told more than once."""
        return f"{self.hint} The node says: {self.detail}" if self.detail else self.hint


def standstill(
    pod: Pod, container: str, image: str, patience: float = 60.0, at_once: Container[str] = ()
) -> Standstill | None:
    """Why the step's container does not run yet; None where it runs or is simply on its way.

    Args:
        pod: The pod.
        container: The name of the step's container.
        image: Its image.
        patience: Seconds for which what looks like a wrong configuration is waited for.
        at_once: Reasons of a waiting container that are not waited for at all.
    """
    if has_run(pod, container) or is_over(pod, container):
        return None
    scheduled = next((item for item in pod.status.conditions if item.type == "PodScheduled"), None)
    if scheduled and scheduled.status == "False" and scheduled.reason:
        return _unscheduled(pod, scheduled, patience)
    init = init_waiting(pod)
    if init is not None:
        found = _waiting(init, f"of the init container {init.name}", "", patience, at_once)
        if found is not None:
            return found
    status = status_of(pod, container)
    return _waiting(status, image, image, patience, at_once) if status else None


def _unscheduled(pod: Pod, condition: Condition, patience: float) -> Standstill:
    if condition.reason == "SchedulingGated":
        return Standstill(
            "SchedulingGated",
            f"the pod {pod.metadata.name} is held back by a scheduling gate: {condition.message}",
            hint="Whoever put the gate there (a queue, a quota system) takes it away when its turn comes.",
        )
    why = explain(condition.message)
    return Standstill(
        condition.reason,
        f"no node takes the pod {pod.metadata.name}: {why.words}",
        patience if why.hopeless else None,
        why.hint if why.hopeless else f"{why.hint}{GOES_ON}",
        fixed=why.fixed,
        unbound=why.unbound,
    )


def _waiting(
    status: ContainerStatus, named: str, image: str, patience: float, at_once: Container[str]
) -> Standstill | None:
    waiting = status.state.waiting if status.state else None
    if waiting is None:
        return None
    found = _judged(status, waiting, named, image, patience)
    if waiting.reason not in at_once:
        return found
    if found is None:
        said = _short(waiting.message.strip() or "no reason given")
        found = Standstill(waiting.reason, f"the container {status.name} waits ({waiting.reason}): {said}")
    # Whoever names it holds it for what no other try would mend.
    return replace(found, patience=0.0, vague=False, kind=CONFIGURATION)


def _judged(
    status: ContainerStatus, waiting: ContainerStateWaiting, named: str, image: str, patience: float
) -> Standstill | None:
    said = waiting.message.strip() or "no reason given"
    if waiting.reason in _PULL_REASONS:
        trouble = pull_trouble(waiting.message, image)
        cause = f": {trouble.words}" if trouble.words else ""
        return Standstill(
            "ImagePullBackOff",
            f"the image {named} cannot be pulled{cause or f' ({waiting.reason}: {_short(said)})'}",
            trouble.patience(patience),
            trouble.hint,
            trouble.kind,
            vague=not trouble.words,
            detail=_short(cause_of(said)) if cause else "",
        )
    if waiting.reason in _HOPELESS_IMAGES:
        return Standstill(
            waiting.reason,
            f"the image {named} cannot be used ({waiting.reason}): {_short(said)}",
            0.0,
            "Check the image's name: registry/name:tag, in lower case."
            if waiting.reason == "InvalidImageName"
            else "The node does not have it and image_pull_policy=Never forbids to pull it; use IfNotPresent.",
        )
    if waiting.reason == "ErrImageInspect":
        return Standstill(
            "ErrImageInspect",
            f"the image {named} cannot be looked at on its node: {_short(said)}",
            patience,
            "The node's container runtime is in trouble; another pod is tried.",
            INFRASTRUCTURE,
        )
    if waiting.reason in _UNMADE:
        # Of an init container no image is told.
        return _unmade(waiting, patience, "the container" if image else f"the init container {status.name}")
    if waiting.reason == "CrashLoopBackOff":
        return Standstill(
            waiting.reason,
            f"the container {status.name} beside the step ends again and again before the step can begin: {_short(said)}",
            patience,
            f"See why: kubectl logs POD -c {status.name}. Its definition comes from additional_pod_spec_args, or "
            "from a webhook of the cluster.",
        )
    return None


def _unmade(waiting: ContainerStateWaiting, patience: float, what: str) -> Standstill:
    """A container cannot be made, or not be started, and it is tried again and again."""
    trouble, said = start_trouble(waiting.message), _short(waiting.message.strip() or "no reason given")
    told = f"{trouble.words}: {said}" if trouble.words else said
    if trouble.kind == RESOURCES:
        words = f"{what} cannot be made ({waiting.reason}): {told}"
        return Standstill(OUT_OF_MEMORY, words, patience / 2, MORE_MEMORY, RESOURCES)
    # What the kubelet calls a wrong configuration is one, unless it only waits for the cluster to tell it of things.
    by_kubelet = waiting.reason == "CreateContainerConfigError" and not _NOT_HEARD.search(waiting.message)
    if trouble.kind == INFRASTRUCTURE and not by_kubelet:
        return Standstill(
            waiting.reason,
            f"its node cannot make {what} ({waiting.reason}): {told}",
            TROUBLE_PATIENCE,
            f"{trouble.hint} After ten minutes another pod is tried.",
            INFRASTRUCTURE,
        )
    return Standstill(
        waiting.reason,
        f"{what} cannot be made ({waiting.reason}): {told}",
        patience / 2,
        _unmade_hint(waiting.message, trouble.hint if trouble.kind == CONFIGURATION else ""),
    )


def _unmade_hint(message: str, hint: str) -> str:
    missing = _MISSING.search(message)
    if missing:
        what = "secret" if missing.group(1).lower() == "secret" else "config map"
        return (
            f"Create the {what} {missing.group(2)} in the pod's namespace, or name another: "
            f"{'secrets=' if what == 'secret' else 'env_from='} or a volume of the step refers to it."
        )
    key = _MISSING_KEY.search(message)
    if key:
        return f"{key.group(2)} {key.group(3)} has no key {key.group(1)}: add it, or name one that it has."
    if "runAsNonRoot" in message:
        return (
            "The image's user is root (or a name), and the pod may not run as root: set a number with "
            'security_context={"run_as_user": 1000}, or security_profile=restricted (and no restricted_uid=0).'
        )
    return hint or "Check that the secrets, config maps and volumes it names exist in the namespace."


def _short(text: str, most: int = 300) -> str:
    """The kubelet repeats itself, an image's name up to five times; the cause is at the end."""
    return text if len(text) <= most else f"…{text[-most:]}"
