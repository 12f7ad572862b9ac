"""What a pod's state says about the attempt in it: pure, from container states and conditions.

The main container decides, not the pod's phase: a sidecar that never ends must not keep a task alive.
What is said here counts only where the attempt left no record.
"""

import json
from dataclasses import dataclass

from headway.executors.kubernetes.api.types import Condition, ContainerStateTerminated, ContainerStatus, Pod
from headway.executors.kubernetes.command import INIT_SCRIPT_FAILED
from headway.store.records import CONFIGURATION, INFRASTRUCTURE, OUT_OF_MEMORY, RESOURCES, USER, Failure

#: Seconds after which a container that cannot start counts as misconfigured, by the kubelet's reason.
PATIENCE = {
    "InvalidImageName": 0.0,
    "ErrImageNeverPull": 0.0,
    "ErrImagePull": 60.0,
    "ImagePullBackOff": 60.0,
    "CreateContainerConfigError": 30.0,
    "CreateContainerError": 30.0,
    "RunContainerError": 30.0,
}

_IMAGE_REASONS = ("InvalidImageName", "ErrImageNeverPull", "ErrImagePull", "ImagePullBackOff")

#: What the kubelet says where a pod outgrew its own limits, and not its node.
_OWN_DISK = (
    "ephemeral local storage usage exceeds",
    "exceeded its local ephemeral storage limit",
    "Usage of EmptyDir volume",
)

#: Exit codes that no step causes: the runtime refused to begin, could not, or was stopped (SIGTERM) before it could.
_NOT_THE_STEPS = (75, 78, 143)

#: Errors of the in-pod runtime that trying again cannot mend.
_CONFIGURATION_ERRORS = (
    "StoreConfigurationError",
    "SettingsError",
    "ClusterConfigurationError",
    "FlowDefinitionError",
)


@dataclass(frozen=True, slots=True)
class Standstill:
    """Why a pod does not run yet.

    Attributes:
        reason: Kubernetes' word.
        message: For people.
        patience: Seconds to wait before the attempt counts as failed, None for as long as it takes.
        hint: What to do about it.
    """

    reason: str
    message: str
    patience: float | None = None
    hint: str = ""


def container_of(pod: Pod, name: str) -> ContainerStatus | None:
    """The status of the container that runs the step."""
    for status in pod.status.container_statuses:
        if status.name == name:
            return status
    return None


def is_running(pod: Pod, container: str) -> bool:
    """Whether the step's container runs now, or has run."""
    status = container_of(pod, container)
    if status is None or status.state is None:
        return False
    # A container that was given up before it could start is terminated too, and began at no time.
    ended = status.state.terminated
    return status.state.running is not None or bool(ended and ended.started_at)


def is_over(pod: Pod, container: str) -> bool:
    """Whether the step's container has ended, or never will begin."""
    status = container_of(pod, container)
    if status and status.state and status.state.terminated:
        return True
    return pod.status.phase in ("Succeeded", "Failed")


def standstill(pod: Pod, container: str, image: str) -> Standstill | None:
    """Why the step's container does not run yet; None where it runs or is simply on its way."""
    if is_running(pod, container) or is_over(pod, container):
        return None
    scheduled = _condition(pod, "PodScheduled")
    if scheduled and scheduled.status == "False" and scheduled.reason:
        return Standstill(
            scheduled.reason,
            f"no node takes the pod {pod.metadata.name}: {scheduled.message}",
            hint="Ask for less, or for a node that is there; waiting goes on, as a node may come.",
        )
    status = container_of(pod, container)
    waiting = status.state.waiting if status and status.state else None
    if waiting is None or waiting.reason not in PATIENCE:
        return None
    if waiting.reason in _IMAGE_REASONS:
        message = (
            f"the image {image} cannot be pulled ({waiting.reason}): {waiting.message or 'no reason given'}"
        )
        hint = "Check the image's name and tag, and that the node may pull it (image_pull_secrets)."
    else:
        message = f"the container cannot be made ({waiting.reason}): {waiting.message or 'no reason given'}"
        hint = "Check that the secrets, config maps and volumes it names exist in the namespace."
    return Standstill(waiting.reason, message, PATIENCE[waiting.reason], hint)


def stop_reason(pod: Pod) -> Failure | None:
    """Why the pod was stopped from outside, None where nothing says that it was."""
    disrupted = _condition(pod, "DisruptionTarget")
    if disrupted and disrupted.status == "True":
        return _disruption(pod, disrupted)
    if pod.status.reason == "DeadlineExceeded":
        return Failure(
            USER,
            "DeadlineExceeded",
            f"The pod {pod.metadata.name} was stopped at its deadline.",
            "Raise @timeout, or the run-time limit of the cluster's pods.",
        )
    if pod.status.reason == "Evicted" and any(words in pod.status.message for words in _OWN_DISK):
        return Failure(
            RESOURCES,
            "DiskFull",
            f"The pod {pod.metadata.name} used more disk than it may: {pod.status.message.strip()}",
            "Ask for more with @kubernetes(disk=…) or @resources(disk=…), or leave less on disk at a time.",
        )
    if pod.status.reason in ("Evicted", "Preempting", "NodeLost", "NodeShutdown", "Shutdown", "Terminated"):
        return Failure(
            INFRASTRUCTURE, pod.status.reason, f"The pod was stopped by its node: {_or(pod.status.message)}"
        )
    return None


def failure_of(pod: Pod, container: str, step: str) -> Failure:
    """Why an attempt without a record failed, as far as its pod tells."""
    stopped = stop_reason(pod)
    if stopped is not None:
        return stopped
    status = container_of(pod, container)
    ended = status.state.terminated if status and status.state else None
    if ended is None:
        return Failure(
            INFRASTRUCTURE,
            "PodGone",
            f"The pod {pod.metadata.name} ended before its container ran: {_or(pod.status.message)}",
        )
    return _said(ended) or _by_exit(pod, container, step, ended)


def gone(pod_name: str, step: str) -> Failure:
    """The failure of an attempt whose pod was deleted by somebody else."""
    return Failure(
        INFRASTRUCTURE,
        "PodDeleted",
        f"The pod {pod_name} of step {step} was deleted while the attempt ran in it.",
    )


def _disruption(pod: Pod, condition: Condition) -> Failure:
    words = {
        "PreemptionByScheduler": "a pod of higher priority took its place",
        "DeletionByTaintManager": "its node was tainted or does not answer any more",
        "EvictionByEvictionAPI": "it was evicted, as when a node is drained",
        "DeletionByPodGC": "its node is gone",
        "TerminationByKubelet": "its node ran short of something or is shutting down",
    }
    why = words.get(condition.reason, condition.message or condition.reason)
    said = f" {pod.status.message.strip()}" if condition.reason == "TerminationByKubelet" else ""
    message = f"The pod {pod.metadata.name} was disrupted: {why}.{said}"
    return Failure(INFRASTRUCTURE, condition.reason, message.rstrip())


def _said(ended: ContainerStateTerminated) -> Failure | None:
    """What the in-pod runtime itself left as its last words."""
    try:
        words = json.loads(ended.message)
        # Where the runtime said nothing, this is the end of the log, and that may be anybody's JSON.
        if words["headway"] != 1:
            return None
        reason, message, hint = str(words["reason"]), str(words["message"]), str(words["hint"])
    except (ValueError, KeyError, TypeError):
        return None
    kind = CONFIGURATION if reason in _CONFIGURATION_ERRORS else INFRASTRUCTURE
    return Failure(kind, reason, message, hint)


def _memory_limit(pod: Pod, container: str) -> str:
    """The words for how much memory the container had, "" where it had no limit."""
    for each in pod.spec.containers:
        limit = each.resources.limits.get("memory", "") if each.name == container else ""
        if limit:
            return f" at its limit of {limit[:-1]} MB" if limit.endswith("M") else f" at its limit of {limit}"
    return ""


def _by_exit(pod: Pod, container: str, step: str, ended: ContainerStateTerminated) -> Failure:
    if ended.reason == "OOMKilled":
        limit = _memory_limit(pod, container)
        return Failure(
            RESOURCES,
            OUT_OF_MEMORY,
            f"Step {step} ran out of memory: the kernel killed its container{limit} (OOMKilled).",
            "Ask for more with @kubernetes(memory=…) or @resources(memory=…), or hold less at a time.",
        )
    if ended.reason in ("ContainerCannotRun", "StartError") or ended.exit_code in (126, 127):
        return Failure(
            CONFIGURATION,
            ended.reason or "StartError",
            f"The container could not start its command: {_or(ended.message)}",
            "The image needs a `python` of version 3.9 or later on its PATH; executable=… names another.",
        )
    if ended.exit_code == 137 or ended.signal == 9:
        return Failure(
            RESOURCES,
            "Killed",
            f"All of the container of step {step} was killed (SIGKILL, exit code 137) and nothing says by whom.",
            "Usually memory ran out, on the node or in the container: ask for more with memory=….",
        )
    if ended.exit_code == INIT_SCRIPT_FAILED:
        return Failure(
            CONFIGURATION,
            "InitScript",
            f"The container of step {step} did not get beyond its sandbox init script: {_or(ended.message)}",
            "Try the script in the image: docker run -it IMAGE sh.",
        )
    tail = f" Its last words: {ended.message.strip()[-500:]}" if ended.message.strip() else ""
    return Failure(
        INFRASTRUCTURE if ended.exit_code in _NOT_THE_STEPS else USER,
        "Exit",
        f"The container of step {step} ended with exit code {ended.exit_code} and left no result.{tail}",
    )


def _condition(pod: Pod, kind: str) -> Condition | None:
    return next((item for item in pod.status.conditions if item.type == kind), None)


def _or(message: str) -> str:
    return message.strip() or "no reason given"
