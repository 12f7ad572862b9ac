"""Looks at a cluster before anything runs on it: what a step's pods would miss there, found out by asking."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack

from headway.config.connection import connection_of
from headway.config.kubernetes import KubernetesSettings
from headway.errors import ClusterConfigurationError
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.checkup_steps import Maker, examine_steps, quotas_of
from headway.executors.kubernetes.cluster import NEEDED_FOR_GANGS, NEEDED_TO_LEND, connect
from headway.executors.kubernetes.connecting import access_to
from headway.executors.kubernetes.findings import BAD, GOOD, POOR, Finding

#: What a launcher can do without, and what is missed then.
_OPTIONAL = (
    ("list", "events", "why a Job gets no pod, or a pod no volume, stays unsaid"),
    ("list", "nodes", "which nodes could take a pod, and that one is gone, is found out later"),
    ("create", "pods", "whether quotas, limit ranges and policies admit a step's pods, only a run finds out"),
)


async def examine_cluster(
    steps: Mapping[str, KubernetesSettings], make: Maker, *, lends: bool, gangs: bool = False
) -> AsyncIterator[Finding]:
    """Look at the configured cluster with the eyes of these steps.

    Args:
        steps: Settings by step.
        make: Makes what a run would create for each step's first tasks.
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
        async for finding in examine_steps(cluster, steps, make):
            yield finding


async def _rights(
    client: KubernetesClient, namespace: str, *, lends: bool, gangs: bool
) -> AsyncIterator[Finding]:
    for verb, resource, loss in _OPTIONAL:
        place = None if resource == "nodes" else namespace
        if not await client.can_i(verb, resource, place):
            where = f" in {namespace}" if place else ""
            what = f"You may not {verb} {resource}{where}: {loss}."
            yield Finding(POOR, what, "Ask for that right if you can; runs do without.")
    for verb, resource in NEEDED_FOR_GANGS if gangs else ():
        if not await client.can_i(verb, resource, namespace):
            yield Finding(
                BAD,
                f"You may not {verb} {resource} in {namespace}, which gives the ranks of gangs their names.",
                "Ask for that right; the documentation has the whole Role.",
                stops=False,
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
    quotas, why = await quotas_of(client, namespace)
    if why:
        yield Finding(
            POOR,
            f"Quotas of namespace {namespace} are not checked: {why}.",
            "Ask for that right if you can; a run does without, and waits where one is full.",
        )
    for quota in quotas:
        used = quota.status.used
        amounts = ", ".join(
            f"{name} {used.get(name, '0')} of {most}" for name, most in sorted(quota.status.hard.items())
        )
        yield Finding(GOOD, f"Quota {quota.metadata.name} in {namespace}: {amounts}. Pods beyond it wait.")
