"""Looks at a cluster before anything runs on it: what a step's pods would miss there, found out by asking."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

from headway.config.connection import connection_of
from headway.config.kubernetes import KubernetesSettings
from headway.errors import ClusterConfigurationError, HeadwayError
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import ApiError, NotFound
from headway.executors.kubernetes.api.kinds import NODE, PERSISTENT_VOLUME_CLAIM, RESOURCE_QUOTA, Kind
from headway.executors.kubernetes.api.types import (
    KubernetesObject,
    Node,
    PersistentVolumeClaim,
    ResourceQuota,
)
from headway.executors.kubernetes.cluster import NEEDED_FOR_GANGS, NEEDED_TO_LEND, connect
from headway.executors.kubernetes.connecting import access_to
from headway.executors.kubernetes.fitting import fit
from headway.executors.kubernetes.manifest import PodPlan, pod_spec
from headway.executors.kubernetes.named import named_objects
from headway.executors.kubernetes.needs import needs_of
from headway.store.batch import Batch, Code, TaskSpec

#: What a launcher can do without, and what is missed then.
_OPTIONAL = (
    ("list", "events", "why a Job gets no pod, or a pod no volume, stays unsaid"),
    ("list", "nodes", "which nodes could take a pod, and that one is gone, is found out later"),
)

#: How a finding is meant.
GOOD, POOR, BAD = "ok", "warn", "fail"


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes:
        grade: "ok", "warn" (it will do) or "fail" (a run would fail).
        what: What was found.
        hint: What to do about it, or "".
    """

    grade: str
    what: str
    hint: str = ""


async def examine_cluster(
    steps: Mapping[str, KubernetesSettings], *, lends: bool, gangs: bool = False
) -> AsyncIterator[Finding]:
    """Look at the configured cluster with the eyes of these steps.

    Args:
        steps: Settings by step.
        lends: Whether the run lends its credentials, which takes rights on secrets.
        gangs: Whether there are gangs, which take rights on services.
    """
    async with AsyncExitStack() as stack:
        try:
            connection = connection_of(steps)
            access = access_to(connection)
            yield Finding(
                GOOD, f"Kubernetes at {access.server}, as told by {access.source or 'the environment'}."
            )
            namespaces = sorted({settings.namespace for settings in steps.values()})
            cluster = await connect(stack, namespaces, connection=connection)
        except ClusterConfigurationError as error:
            yield Finding(BAD, error.message, error.hint or "")
            return
        client = cluster.client
        version = await client.version()
        yield Finding(
            GOOD,
            f"It runs {version.git_version}, and you may run pods in {', '.join(namespaces)}; "
            "the in-pod runtime is in place.",
        )
        for namespace in namespaces:
            async for finding in _rights(client, namespace, lends=lends, gangs=gangs):
                yield finding
            if namespace in cluster.restricted:
                yield Finding(
                    GOOD, f"Namespace {namespace} enforces Pod Security restricted; pods will meet it."
                )
            async for finding in _quotas(client, namespace):
                yield finding
        async for finding in _nodes(client, steps):
            yield finding
        for step, settings in steps.items():
            async for finding in _needed_objects(client, step, settings):
                yield finding


async def _rights(
    client: KubernetesClient, namespace: str, *, lends: bool, gangs: bool
) -> AsyncIterator[Finding]:
    for verb, resource, loss in _OPTIONAL:
        place = None if resource == "nodes" else namespace
        if not await client.can_i(verb, resource, place):
            where = f" in {namespace}" if place else ""
            yield Finding(
                POOR, f"You may not {verb} {resource}{where}: {loss}.", "Ask for that right if you can."
            )
    for verb, resource in NEEDED_FOR_GANGS if gangs else ():
        if not await client.can_i(verb, resource, namespace):
            yield Finding(
                BAD,
                f"You may not {verb} {resource} in {namespace}, which gives the ranks of gangs their names.",
                "Ask for that right; the documentation has the whole Role.",
            )
    if lends:
        allowed = await asyncio.gather(*(client.can_i(*each, namespace) for each in NEEDED_TO_LEND))
        denied = [verb for (verb, _), may in zip(NEEDED_TO_LEND, allowed, strict=True) if not may]
        if denied:
            yield Finding(
                BAD,
                f"--forward-credentials needs the right to {', '.join(denied)} secrets in {namespace}.",
                "Ask for it, or give pods access by a service account or a secret of your own.",
            )


async def _quotas(client: KubernetesClient, namespace: str) -> AsyncIterator[Finding]:
    for quota in await _listed(client, RESOURCE_QUOTA, namespace):
        assert isinstance(quota, ResourceQuota)
        used = quota.status.used
        amounts = ", ".join(
            f"{name} {used.get(name, '0')} of {most}" for name, most in sorted(quota.status.hard.items())
        )
        yield Finding(GOOD, f"Quota {quota.metadata.name} in {namespace}: {amounts}. Pods beyond it wait.")


async def _nodes(client: KubernetesClient, steps: Mapping[str, KubernetesSettings]) -> AsyncIterator[Finding]:
    try:
        nodes = (await client.list(NODE, None)).items
    except HeadwayError:
        # That one may not look was said with the rights.
        return
    if not nodes:
        yield Finding(POOR, "The cluster has no nodes yet: an autoscaler has to bring one.")
        return
    ready = [node for node in nodes if _is_ready(node)]
    kinds = sorted({node.metadata.labels.get("kubernetes.io/arch", "unknown") for node in nodes})
    grade = GOOD if ready else BAD
    yield Finding(grade, f"{len(ready)} of {len(nodes)} nodes are ready ({', '.join(kinds)}).")
    for step, settings in steps.items():
        found = fit(needs_of(_spec(step, settings)), nodes)
        if found.words:
            yield Finding(
                BAD,
                f"Step {step}: no node could ever take its pods. {found.words[:1].upper()}{found.words[1:]}.",
                "Ask for less, add tolerations or change the selector, unless an autoscaler makes such nodes.",
            )


def _spec(step: str, settings: KubernetesSettings) -> dict[str, Any]:
    """The spec of the step's pods, but for which batch they have."""
    code = Code("path", "doctor.py", ("__main__", "DoctorFlow"))
    batch = Batch("doctor", "doctor", step, "doctor", code, (TaskSpec("1", 0),))
    return pod_spec(settings, batch, PodPlan("doctor", "", ""), settings.active_deadline_seconds)


async def _needed_objects(
    client: KubernetesClient, step: str, settings: KubernetesSettings
) -> AsyncIterator[Finding]:
    for kind, name in named_objects(settings):
        namespace = settings.namespace if kind.namespaced else None
        try:
            found = await client.get(kind, namespace, name)
        except NotFound:
            where, option = (
                (f" in namespace {namespace}", f" --namespace {namespace}") if namespace else ("", "")
            )
            yield Finding(
                BAD,
                f"Step {step}: there is no {kind.name} {name}{where}.",
                f"kubectl{option} get {kind.plural} shows what there is.",
            )
        except ApiError:
            # Who may not look is told by the pod.
            continue
        else:
            if isinstance(found, PersistentVolumeClaim) and found.status.phase not in ("", "Bound"):
                yield _unbound(step, found)


def _unbound(step: str, claim: PersistentVolumeClaim) -> Finding:
    name, namespace, phase = claim.metadata.name, claim.metadata.namespace, claim.status.phase
    lost = phase == "Lost"
    why = (
        "the volume that it had is gone"
        if lost
        else "pods wait until it is, unless the first of them binds it"
    )
    return Finding(
        BAD if lost else POOR,
        f"Step {step}: PersistentVolumeClaim {name} in namespace {namespace} is not bound ({phase}): {why}.",
        f"kubectl --namespace {namespace} describe {PERSISTENT_VOLUME_CLAIM.plural} {name} says why.",
    )


async def _listed(
    client: KubernetesClient, kind: Kind[KubernetesObject], namespace: str | None
) -> tuple[KubernetesObject, ...]:
    try:
        return tuple((await client.list(kind, namespace)).items)
    except HeadwayError:
        return ()


def _is_ready(node: Node) -> bool:
    return any(each.type == "Ready" and each.status == "True" for each in node.status.conditions)
