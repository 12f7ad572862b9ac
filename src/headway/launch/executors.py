"""The executors that a run's steps need, each made only where some step is for it."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

from headway.executors.base import Executor
from headway.executors.local.executor import LocalExecutor
from headway.executors.local.files import make_room
from headway.executors.local.zygote import Zygote
from headway.launch.outset import Outset
from headway.launch.way import check_way, way_of_pods
from headway.store.base import ObjectStore
from headway.store.forward import credentials_to_forward
from headway.store.run_records import RunRecord

if TYPE_CHECKING:
    from headway.executors.kubernetes.cluster import Prepared

#: Local attempts at a time, as in Metaflow, whatever the machine: flows count on it that wait rather than compute.
LOCAL_LIMIT = 16


def local_executor(outset: Outset, store: ObjectStore, zygote: Zygote | None) -> Executor:
    """For steps, and fallbacks, on this machine."""
    limit = outset.request.max_workers or LOCAL_LIMIT
    return LocalExecutor(store, zygote, make_room(limit))


async def prepare_cluster(outset: Outset, stack: AsyncExitStack, note: Callable[[str], None]) -> "Prepared":
    """Connect to the cluster, and learn whether the run may do there what it needs.

    Args:
        outset: The run.
        stack: Closes the connection.
        note: Told what a person should know of it.
    """
    # aiohttp and msgspec cost 180 ms that a run without pods must not pay.
    from headway.config.connection import connection_of
    from headway.executors.kubernetes.cluster import connect

    gangs = any(step.gang is not None for step in outset.steps.values() if step.kubernetes is not None)
    namespaces = {settings.namespace for settings in outset.remote.values()}
    prepared = await connect(
        stack,
        namespaces,
        connection=connection_of(outset.remote),
        gangs=gangs,
        lends=outset.request.forward_credentials,
    )
    for line in check_way(outset.choice.url, {} if prepared.here else outset.remote):
        note(line)
    return prepared


def kubernetes_executor(
    outset: Outset, store: ObjectStore, record: RunRecord, cluster: "Prepared"
) -> Executor:
    """For steps in the cluster."""
    # As above.
    from headway.executors.kubernetes.executor import DEFAULT_LIMIT, KubernetesExecutor

    request = outset.request
    limit = request.max_workers or DEFAULT_LIMIT
    env = pod_environment(outset, store.url, here=cluster.here)
    find = partial(credentials_to_forward, store.url) if request.forward_credentials else None
    lent = find() if find is not None else None
    return KubernetesExecutor(cluster, store, record.flow, record.run, outset.remote, env, limit, lent, find)


def pod_environment(outset: Outset, url: str, *, here: bool | None = None) -> dict[str, str]:
    """The variables with which pods reach the datastore, and what the data client is told.

    Args:
        outset: The run.
        url: The datastore's root.
        here: Whether pods are processes of this machine; by default as far as that is known without a cluster.
    """
    known = outset.request.pods_see_folders if here is None else here
    return {**way_of_pods(url, here=known), **outset.told}
