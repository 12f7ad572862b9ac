"""Why a pod that somebody looks at waits or failed, and why a Job has none: from its state, else from its events."""

import asyncio
import contextlib
from collections.abc import Sequence

from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import ApiError
from headway.executors.kubernetes.api.kinds import EVENT
from headway.executors.kubernetes.api.types import Event, Job, Pod
from headway.executors.kubernetes.names import container_name
from headway.executors.kubernetes.outcome import failure_of
from headway.executors.kubernetes.pod_events import in_order, setting_up
from headway.executors.kubernetes.pod_states import has_run, is_over
from headway.executors.kubernetes.refusal import refusal
from headway.executors.kubernetes.standstill import standstill

#: Objects whose events are read, at most: what holds for these holds for their like.
_MOST = 8


def told_by_state(pod: Pod, step: str) -> str:
    """Why a pod does not run yet, or how it failed, as its state tells; "" where that tells nothing.

    Args:
        pod: The pod.
        step: Its step.
    """
    container = container_name(step)
    if is_over(pod, container):
        failed = None if pod.status.phase == "Succeeded" else failure_of(pod, container, step, "")
        # What the step's own process did stands in its record and in its log.
        told = "" if failed is None or failed.reason == "Exit" else failed.message
        return told.partition("\n")[0]
    waits = standstill(pod, container, _image(pod, container))
    return waits.in_full if waits is not None else ""


async def why_pods_wait(client: KubernetesClient, pods: Sequence[tuple[Pod, str]]) -> list[str]:
    """The same of several pods, each with its step; events are read where the state says nothing."""
    told = [told_by_state(pod, step) for pod, step in pods]
    silent = [
        at
        for at, (pod, step) in enumerate(pods)
        if not told[at] and pod.status.phase == "Pending" and not has_run(pod, container_name(step))
    ]
    asked = silent[:_MOST]
    answers = await asyncio.gather(*(_why_not_set_up(client, *pods[at]) for at in asked))
    for at, words in zip(asked, answers, strict=True):
        told[at] = words
    return told


async def why_jobs_wait(client: KubernetesClient, jobs: Sequence[Job]) -> list[str]:
    """Why Jobs have no pods; "" where nothing tells, or they are only held back."""

    async def why(job: Job) -> str:
        if job.spec.suspend:
            return ""
        events = await _events(client, job.metadata.namespace, "Job", job.metadata.name)
        refused = [each for each in in_order(events) if each.reason == "FailedCreate"]
        return f"the cluster refuses its pods: {refusal(refused[-1].message).words}" if refused else ""

    return [*await asyncio.gather(*map(why, jobs[:_MOST])), *([""] * len(jobs[_MOST:]))]


async def _why_not_set_up(client: KubernetesClient, pod: Pod, step: str) -> str:
    events = await _events(client, pod.metadata.namespace, "Pod", pod.metadata.name)
    found = setting_up(events, _image(pod, container_name(step)), 0.0)
    return found.in_full if found is not None else ""


async def _events(client: KubernetesClient, namespace: str, kind: str, name: str) -> Sequence[Event]:
    selector = f"involvedObject.kind={kind},involvedObject.name={name}"
    with contextlib.suppress(ApiError):  # a courtesy: who may not read them is told less
        return (await client.list(EVENT, namespace, field_selector=selector)).items
    return ()


def _image(pod: Pod, container: str) -> str:
    return next((each.image for each in pod.spec.containers if each.name == container), "")
