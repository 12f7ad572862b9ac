"""Why an attempt ended, from its pod: pure, from container states and conditions.

What is said here counts only where the attempt left no record.
"""

import json
import signal

from headway.config.quantities import quantity
from headway.executors.kubernetes.api.types import Condition, ContainerStateTerminated, ContainerStatus, Pod
from headway.executors.kubernetes.bound import BOUND_HINT, nowhere, rejected
from headway.executors.kubernetes.command import INIT_SCRIPT_FAILED
from headway.executors.kubernetes.evictions import own_doing
from headway.executors.kubernetes.pod_states import (
    has_run,
    init_failed,
    init_in_the_way,
    state_in_words,
    status_of,
)
from headway.executors.kubernetes.start_words import MORE_MEMORY, PYTHON, start_trouble
from headway.runtime.usage import after_kill
from headway.store.records import (
    CONFIGURATION,
    INFRASTRUCTURE,
    OUT_OF_MEMORY,
    RESOURCES,
    USER,
    AttemptRef,
    Failure,
)

#: The reason where somebody deleted the pod of an attempt.
POD_DELETED = "PodDeleted"

#: Exit codes that no step causes: the runtime was stopped (SIGTERM) before its step began, where it leaves no words; it
#: could not begin.
_STOPPED_EARLY = (75, 143)
_NOT_THE_STEPS = (78,)

#: What a node says of a container that it does not find any more.
_UNKNOWN = "ContainerStatusUnknown"

#: How a warm pod's note of the attempt that runs begins; nothing for people.
_NOTE = '{"headway": 1, "running": '

#: Errors of the in-pod runtime that are of its way to the datastore; the launcher's may be another.
_STORE_ERRORS = ("StoreConfigurationError", "StoreUnavailableError")

#: Errors of the in-pod runtime that trying again cannot mend.
_CONFIGURATION_ERRORS = ("StoreConfigurationError", "SettingsError")


def stop_reason(pod: Pod, container: str, advice: str) -> Failure | None:
    """Why the pod was stopped from outside, None where nothing says that it was.

    Args:
        pod: The pod.
        container: The name of its container that runs the step.
        advice: What to do where it was stopped at its deadline.
    """
    own = own_doing(pod, container)
    if own is not None:
        return own
    disrupted = _condition(pod, "DisruptionTarget")
    if disrupted and disrupted.status == "True":
        return _disruption(pod, disrupted)
    if pod.status.reason == "DeadlineExceeded":
        if not has_run(pod, container):
            return _too_late(pod, advice)
        return Failure(
            USER,
            "DeadlineExceeded",
            f"The pod {pod.metadata.name} was stopped at its deadline.",
            advice,
        )
    if pod.status.reason in ("Evicted", "Preempting", "NodeLost", "NodeShutdown", "Shutdown", "Terminated"):
        return Failure(
            INFRASTRUCTURE, pod.status.reason, f"The pod was stopped by its node: {_or(pod.status.message)}"
        )
    return None


def _too_late(pod: Pod, advice: str) -> Failure:
    """The deadline passed before the step's container began; an init container may have taken the time."""
    name, init = pod.metadata.name, init_in_the_way(pod)
    if init is None:
        what, look = "it spent so long on its node getting its image and its volumes", f"describe pod {name}"
    else:
        what = f"its init container {init.name} was not done by then ({state_in_words(init)})"
        look = f"logs {name} -c {init.name}"
    return Failure(
        INFRASTRUCTURE,
        "DeadlineExceeded",
        f"The pod {name} was stopped at its deadline before its container began: {what}.",
        f"See what kept it: kubectl {look}. {advice}",
    )


def failure_of(pod: Pod, container: str, step: str, advice: str, node: str = "") -> Failure:
    """Why an attempt without a record failed, as far as its pod tells.

    Args:
        pod: Its pod.
        container: The name of the container that runs the step.
        step: The step.
        advice: What to do where the pod was stopped at its deadline.
        node: The node that the step's settings bind its pods to, "" where the scheduler finds one.
    """
    stopped = stop_reason(pod, container, advice)
    if stopped is not None:
        return stopped
    failed_init = init_failed(pod)
    # A sidecar that starts like an init container is ended after the step's, and seldom ends well.
    if failed_init is not None and not has_run(pod, container):
        return _init(pod, failed_init)
    status = status_of(pod, container)
    ended = status.state.terminated if status and status.state else None
    if ended is None:
        said = f"{pod.status.reason}: {pod.status.message}" if pod.status.reason else pod.status.message
        return rejected(pod, node) or Failure(
            INFRASTRUCTURE,
            "PodGone",
            f"The pod {pod.metadata.name} ended before its container ran: {_or(said)}",
            BOUND_HINT if node else "",
        )
    return _said(ended) or _by_exit(pod, container, step, ended)


def noted_task(pod: Pod, container: str) -> AttemptRef | None:
    """The attempt that a warm pod noted to be running when it ended."""
    status = status_of(pod, container)
    ended = status.state.terminated if status and status.state else None
    return _running(ended.message) if ended else None


def _running(message: str) -> AttemptRef | None:
    try:
        step, task, attempt = json.loads(message)["running"]
        return AttemptRef(str(step), str(task), int(attempt))
    except (ValueError, KeyError, TypeError):
        return None


def _init(pod: Pod, status: ContainerStatus) -> Failure:
    """An init container, which a person or a webhook of the cluster added, ended badly."""
    ended = (status.state.terminated if status.state else None) or ContainerStateTerminated()
    where = f"The init container {status.name} of the pod {pod.metadata.name}"
    hint = f"See what it printed: kubectl logs {pod.metadata.name} -c {status.name}."
    if ended.reason == _UNKNOWN:
        return _lost_sight(pod, ended)
    if ended.reason == "OOMKilled":
        return Failure(RESOURCES, "InitContainer", f"{where} ran out of memory (OOMKilled).", hint)
    tail = f" Its last words: {ended.message.strip()[-500:]}" if ended.message.strip() else ""
    words = f"{where} failed with exit code {ended.exit_code}, so the step never began.{tail}"
    return Failure(USER, "InitContainer", words, hint)


def gone(pod: Pod, container: str, step: str) -> Failure:
    """The failure of an attempt whose pod was deleted by somebody else."""
    when = "while the attempt ran in it" if has_run(pod, container) else "before its container began"
    init = None if has_run(pod, container) else init_in_the_way(pod)
    if init is not None:
        when = f"{when}, with its init container {init.name} in the way ({state_in_words(init)})"
    return Failure(
        INFRASTRUCTURE, POD_DELETED, f"The pod {pod.metadata.name} of step {step} was deleted {when}."
    )


def overdue(job_name: str, step: str) -> Failure:
    """The failure of the attempts of a Job that the cluster ended at the Job's own deadline.

    Pods that run are ended by their own deadlines long before: what is left is waiting.
    """
    return Failure(
        INFRASTRUCTURE,
        "DeadlineExceeded",
        f"Step {step} waited so long for nodes, or for its turn on them, that the deadline of the Job {job_name} "
        "passed.",
        "See whether the cluster can take what its pods ask for, or have nodes added.",
    )


def suspended(job_name: str, step: str) -> Failure:
    """The failure of the attempts that ran in a Job as somebody held it back."""
    return Failure(
        INFRASTRUCTURE,
        "JobSuspended",
        f"The Job {job_name} was suspended while step {step} ran in it: its queue gave its place to others, or "
        "somebody held it back.",
        "It waits for its turn anew, in another Job.",
    )


def _disruption(pod: Pod, condition: Condition) -> Failure:
    wrong = nowhere(pod) if condition.reason == "DeletionByPodGC" else None
    if wrong is not None:
        return wrong
    words = {
        "PreemptionByScheduler": "a pod of higher priority took its place",
        "DeletionByTaintManager": "its node was tainted or does not answer any more",
        "EvictionByEvictionAPI": "it was evicted, as when a node is drained",
        "DeletionByPodGC": "its node is gone",
        "TerminationByKubelet": "its node ran short of something or is shutting down",
    }
    why = words.get(condition.reason, condition.message or condition.reason)
    if pod.status.reason == "Preempting":
        why = "its node had to make room for a pod that the cluster cannot do without"
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
    if reason in _STORE_ERRORS:
        message = f"Its pod cannot use the datastore: {message}"
    return Failure(kind, reason, message, hint)


def _memory_limit(pod: Pod, container: str) -> int:
    """How much memory the container might hold, in MB; 0 where it had no limit."""
    for each in pod.spec.containers:
        limit = quantity(each.resources.limits.get("memory", "")) if each.name == container else None
        if limit:
            return int(limit / 1_000_000)
    return 0


def _lost_sight(pod: Pod, ended: ContainerStateTerminated) -> Failure:
    """The exit code, 137, is the node's invention: it was restarted, or its container runtime lost the container."""
    return Failure(
        INFRASTRUCTURE,
        _UNKNOWN,
        f"The node of the pod {pod.metadata.name} does not know what became of its container: {_or(ended.message)}",
    )


def _by_exit(pod: Pod, container: str, step: str, ended: ContainerStateTerminated) -> Failure:
    if ended.reason == _UNKNOWN:
        return _lost_sight(pod, ended)
    if ended.reason == "OOMKilled":
        limit = _memory_limit(pod, container)
        words, enough = (f" at its limit of {limit} MB", str(after_kill(limit))) if limit else ("", "…")
        return Failure(
            RESOURCES,
            OUT_OF_MEMORY,
            f"Step {step} ran out of memory: the kernel killed its container{words} (OOMKilled).",
            f"Ask for more with @kubernetes(memory={enough}) or @resources(memory={enough}), or in resources= where "
            "that says it, or hold less at a time; @retry(on_oom=2) raises memory= by itself.",
        )
    if "exec format error" in ended.message:
        return Failure(
            CONFIGURATION,
            "WrongArchitecture",
            f"The image of step {step} is built for another kind of processor than its node's: {_or(ended.message)}",
            "Build it for that too (docker buildx build --platform linux/amd64,linux/arm64), or choose nodes with "
            'node_selector={"kubernetes.io/arch": …}.',
        )
    if ended.reason in ("ContainerCannotRun", "StartError"):
        return _not_started(pod, container, step, ended)
    if ended.exit_code in (126, 127):
        # Of a program that a shell did not find the node says "Error".
        return Failure(
            CONFIGURATION,
            "StartError",
            f"The container could not start its command: {_or(ended.message)}",
            PYTHON,
        )
    if ended.exit_code == 137 or ended.signal == 9:
        return Failure(
            RESOURCES,
            "Killed",
            f"All of the container of step {step} was killed (SIGKILL, exit code 137) and nothing says by whom.",
            "Usually memory ran out, on the node or in the container: ask for more with memory=…, or in resources= "
            "where that says it.",
        )
    if ended.exit_code == INIT_SCRIPT_FAILED:
        return Failure(
            CONFIGURATION,
            "InitScript",
            f"The container of step {step} did not get beyond its sandbox init script: {_or(ended.message)}",
            "Try the script in the image: docker run -it IMAGE sh.",
        )
    said = "" if ended.message.startswith(_NOTE) else ended.message.strip()
    tail = f" Its last words: {said[-500:]}" if said else ""
    code = f"{ended.exit_code}{_signal_name(ended)}"
    if ended.exit_code in _STOPPED_EARLY:
        words = f"The pod {pod.metadata.name} was asked to stop (SIGTERM) before step {step} began (exit code {code})"
        return Failure(INFRASTRUCTURE, "Terminated", f"{words}, and nothing says why.{tail}")
    return Failure(
        INFRASTRUCTURE if ended.exit_code in _NOT_THE_STEPS else USER,
        "Exit",
        f"The container of step {step} ended with exit code {code} and left no result.{tail}",
    )


def _not_started(pod: Pod, container: str, step: str, ended: ContainerStateTerminated) -> Failure:
    """The node made the container and could not start it."""
    trouble = start_trouble(ended.message)
    told = f"{trouble.words}: {_or(ended.message)}" if trouble.words else _or(ended.message)
    if trouble.kind == RESOURCES:
        limit = _memory_limit(pod, container)
        return Failure(
            RESOURCES,
            OUT_OF_MEMORY,
            f"The container of step {step} could not start{f' with {limit} MB' if limit else ''}: {told}",
            MORE_MEMORY,
        )
    if trouble.kind == INFRASTRUCTURE:
        where = f"The node of the pod {pod.metadata.name} could not start its container"
        return Failure(INFRASTRUCTURE, ended.reason, f"{where}: {told}", trouble.hint)
    return Failure(
        CONFIGURATION,
        ended.reason,
        f"The container could not start its command: {told}",
        trouble.hint or PYTHON,
    )


def _signal_name(ended: ContainerStateTerminated) -> str:
    """The signal that an exit code above 128 stands for, in parentheses, "" where it is none."""
    number = ended.signal or ended.exit_code - 128
    try:
        return f" ({signal.Signals(number).name})" if number > 0 else ""
    except ValueError:
        return ""


def _condition(pod: Pod, kind: str) -> Condition | None:
    return next((item for item in pod.status.conditions if item.type == kind), None)


def _or(message: str) -> str:
    return message.strip() or "no reason given"
