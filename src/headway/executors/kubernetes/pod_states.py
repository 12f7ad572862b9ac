"""Whether a pod's container runs, has run or is over: pure, from container states.

The step's container decides, not the pod's phase: a sidecar that never ends must not keep a task alive.
"""

import re

from headway.executors.kubernetes.api.types import ContainerStatus, Pod

#: In the message of the condition Initialized: the init containers that the others still wait for, in their order.
_NOT_DONE = re.compile(r"incomplete status: \[([^\]]*)\]")


def status_of(pod: Pod, name: str) -> ContainerStatus | None:
    """The status of one of the pod's containers, None where there is none yet."""
    for status in pod.status.container_statuses:
        if status.name == name:
            return status
    return None


def has_run(pod: Pod, container: str) -> bool:
    """Whether the step's container runs now, or has run."""
    status = status_of(pod, container)
    if status is None or status.state is None:
        return False
    # A container that was given up before it could start is terminated too, and began at no time, or in 1970.
    ended = status.state.terminated
    return status.state.running is not None or bool(
        ended and ended.started_at and ended.started_at.year > 1970
    )


def is_over(pod: Pod, container: str) -> bool:
    """Whether the step's container has ended, or never will begin."""
    status = status_of(pod, container)
    if status and status.state and status.state.terminated:
        return True
    return is_finished(pod)


def ended_at(pod: Pod, container: str) -> float | None:
    """When the step's container ended (seconds since the epoch, cut to whole ones), None where it has not."""
    status = status_of(pod, container)
    ended = status.state.terminated if status and status.state else None
    if ended is None or ended.finished_at is None or ended.finished_at.year <= 1970:
        return None
    return ended.finished_at.timestamp()


def began_at(pod: Pod, container: str) -> float | None:
    """When the step's container began to run (seconds since the epoch, cut to whole ones), None where it has not."""
    status = status_of(pod, container)
    state = status.state if status else None
    run = (state.running or state.terminated) if state else None
    if run is None or run.started_at is None or run.started_at.year <= 1970:
        return None
    return run.started_at.timestamp()


def is_finished(pod: Pod) -> bool:
    """Whether every container of the pod has ended."""
    return pod.status.phase in ("Succeeded", "Failed")


def node_is_silent(pod: Pod, container: str) -> bool:
    """Whether the node controller marked the pod: not ready although its container runs, and for no reason of its own."""
    status = status_of(pod, container)
    if status is None or status.state is None or status.state.running is None or not status.ready:
        return False
    return any(
        item.type == "Ready" and item.status == "False" and not item.reason for item in pod.status.conditions
    )


def lingers(pod: Pod, container: str) -> bool:
    """Whether others go on although the step's container has ended."""
    status = status_of(pod, container)
    ended = bool(status and status.state and status.state.terminated)
    return ended and not is_finished(pod)


def has_company(pod: Pod, container: str) -> bool:
    """Whether the pod has other containers than the step's, which may go on when that has ended."""
    others = any(status.name != container for status in pod.status.container_statuses)
    return others and not is_finished(pod)


def is_miscounted(pod: Pod, container: str) -> bool:
    """Whether the pod counts as failed for its Job although the step's container ended well: others did not."""
    status = status_of(pod, container)
    ended = status.state.terminated if status and status.state else None
    return pod.status.phase == "Failed" and ended is not None and ended.exit_code == 0


def init_waiting(pod: Pod) -> ContainerStatus | None:
    """The init container that cannot begin, None where there is none."""
    for status in pod.status.init_container_statuses:
        if status.state and status.state.waiting and status.state.waiting.reason != "PodInitializing":
            return status
    return None


def init_failed(pod: Pod) -> ContainerStatus | None:
    """The init container that ended badly, None where there is none."""
    for status in pod.status.init_container_statuses:
        ended = status.state.terminated if status.state else None
        if ended and (ended.exit_code or ended.signal):
            return status
    return None


def init_in_the_way(pod: Pod) -> ContainerStatus | None:
    """The init container, or the sidecar, that keeps the step's from beginning; None where none is known to.

    One that has not begun itself keeps nobody: its image or the pod's volumes may.
    """
    said = next((item for item in pod.status.conditions if item.type == "Initialized"), None)
    found = _NOT_DONE.search(said.message) if said is not None and said.status == "False" else None
    first = found[1].split()[0] if found and found[1].split() else ""
    for status in pod.status.init_container_statuses:
        if status.name == first and status.state and (status.state.running or status.state.terminated):
            return status
    return None


def state_in_words(status: ContainerStatus) -> str:
    """What a container that has begun is doing."""
    ended = status.state.terminated if status.state else None
    return f"it ended with exit code {ended.exit_code}" if ended else "it runs"
