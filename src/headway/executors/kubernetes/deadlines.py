"""How long pods and Jobs may last, and what to raise where that was too short: pure."""

from headway.config.kubernetes import RUNTIME_LIMIT, KubernetesSettings
from headway.runtime.limits import duration
from headway.store.batch import Batch

#: What a pod is given beyond ``@timeout``, in seconds: its deadline counts from before the image is
#: pulled, while the timeout counts the step's code alone.
TIMEOUT_MARGIN = 900

_INT32_MAX = 2**31 - 1


def pod_deadline(settings: KubernetesSettings, batch: Batch) -> int:
    """Seconds that a pod may run: the step's timeout and a margin, or a limit that is tighter than that."""
    limit = settings.active_deadline_seconds
    return limit if batch.timeout is None else min(behind_timeout(settings, batch.timeout), limit)


def warm_deadline(settings: KubernetesSettings) -> int:
    """Seconds that a warm pod may run.

    It begins tasks for as long as one of them may run (``HEADWAY_POD_LIMIT``), and the last that it begins may run
    for as long as any: the deadline is never that of a task which had less than its time.
    """
    limit = settings.active_deadline_seconds
    # The deadline counts from before the image is pulled, which the pod itself knows nothing of.
    return min(2 * limit + min(limit, TIMEOUT_MARGIN), _INT32_MAX)


def deadline_advice(settings: KubernetesSettings, batch: Batch) -> str:
    """What to raise so that a pod may run for longer: the tighter one of the two limits."""
    if batch.timeout is not None and pod_deadline(settings, batch) == behind_timeout(settings, batch.timeout):
        return "Raise @timeout."
    return (
        f"It may run for {duration(settings.active_deadline_seconds)}: raise @kubernetes(active_deadline_seconds=…), or "
        "HEADWAY_DEFAULT_RUNTIME_LIMIT where the step does not say it."
    )


def behind_timeout(settings: KubernetesSettings, timeout: float) -> int:
    """Seconds after which a pod has had its ``@timeout``, whatever came before and after the step's code."""
    return min(int(timeout) + TIMEOUT_MARGIN + settings.termination_grace_period_seconds, _INT32_MAX)


def job_deadline(settings: KubernetesSettings, pod_seconds: int, tasks: int) -> int:
    """Seconds that a Job may exist without its end.

    Other than a pod's, a Job's deadline also counts the time in which its pods wait for a node or for
    their turn. It is the backstop for pods that no launcher watches any more, so it never stops what
    is still in order: all tasks one after the other, as parallelism may be patched down to one, and
    the general limit once more for waiting, which a short limit for running says nothing about.
    """
    waiting = max(RUNTIME_LIMIT, settings.active_deadline_seconds)
    return min(pod_seconds * tasks + waiting, _INT32_MAX)
