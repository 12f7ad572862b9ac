"""What must be true of a cluster before a run's first pod: reachable, new enough, allowed, our runtime in place."""

import asyncio
import sys
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from headway.config.connection import AS_CONFIGURED, Connection
from headway.errors import ClusterConfigurationError
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import ApiError, Forbidden, Invalid, NotFound
from headway.executors.kubernetes.api.kinds import NAMESPACE
from headway.executors.kubernetes.api.types import ServerVersion
from headway.executors.kubernetes.archive import imported_aliases, runtime_archive
from headway.executors.kubernetes.connecting import client_for
from headway.executors.kubernetes.runtime_place import RuntimePlace

#: The oldest Kubernetes whose Jobs can do what a batch needs: a back-off limit per index.
OLDEST = (1, 29)

ENFORCE_LABEL = "pod-security.kubernetes.io/enforce"

#: What the version of an embedded cluster ends with.
_EMBEDDED = "+headway"

#: What a launcher does in a namespace: (verb, resource). With those below it is all of docs/role.yaml.
NEEDED = (
    ("create", "jobs.batch"),
    ("get", "jobs.batch"),
    ("list", "jobs.batch"),
    ("watch", "jobs.batch"),
    ("patch", "jobs.batch"),
    ("delete", "jobs.batch"),
    ("list", "pods"),
    ("watch", "pods"),
    ("delete", "pods"),
    ("create", "configmaps"),
)
#: What it does besides where there are gangs.
NEEDED_FOR_GANGS = (("create", "services"),)

#: What it also does where pods are lent its access to the datastore.
NEEDED_TO_LEND = (("create", "secrets"), ("patch", "secrets"), ("delete", "secrets"))

#: What ``kubernetes sweep`` does besides; without it old runtimes stay, and it says who may take them away.
NEEDED_TO_SWEEP = (("list", "configmaps"), ("delete", "configmaps"))

#: What tells why something waits, and can be done without.
USEFUL = (("list", "events"),)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A cluster that a run can use.

    Attributes:
        client: Connected; closed by the stack it was opened on.
        runtime_config_map: The name of the config map that carries the in-pod runtime, in every namespace.
        restricted: The namespaces that say they enforce Pod Security *restricted*.
        here: Whether its pods are processes of this machine: it is an embedded one, which listens on loopback.
        runtime: Keeps that config map in place, None where that is somebody else's to do.
    """

    client: KubernetesClient
    runtime_config_map: str
    restricted: frozenset[str] = frozenset()
    here: bool = False
    runtime: RuntimePlace | None = None


async def connect(
    stack: AsyncExitStack,
    namespaces: Iterable[str],
    *,
    connection: Connection = AS_CONFIGURED,
    gangs: bool = False,
    lends: bool = False,
) -> Prepared:
    """Connect to the configured cluster, check it, and put the in-pod runtime into each namespace.

    Args:
        stack: Closes the connection.
        namespaces: Where pods will run.
        connection: Which cluster, and how patient to be with it.
        gangs: Whether there will be gangs, which need more rights.
        lends: Whether pods are lent the launcher's own access to the datastore, by a secret of the run.

    Raises:
        ClusterConfigurationError: None configured, unreachable, too old, no such namespace, or not allowed.
    """
    client = await stack.enter_async_context(client_for(connection))
    archive = await asyncio.to_thread(runtime_archive, imported_aliases(sys.modules))
    runtime = RuntimePlace(client, archive)
    wanted = sorted(namespaces)
    needed = (*NEEDED, *(NEEDED_FOR_GANGS if gangs else ()), *(NEEDED_TO_LEND if lends else ()))
    version, enforced = await asyncio.gather(
        _check_version(client),
        asyncio.gather(*(_place(client, namespace, runtime, needed) for namespace in wanted)),
    )
    restricted = (namespace for namespace, enforces in zip(wanted, enforced, strict=True) if enforces)
    here = version.git_version.endswith(_EMBEDDED)
    return Prepared(client, runtime.name, frozenset(restricted), here, runtime)


async def _check_version(client: KubernetesClient) -> ServerVersion:
    version = await client.version()
    if not version.at_least(*OLDEST):
        raise ClusterConfigurationError(
            f"The cluster runs Kubernetes {version.git_version}; Headway needs {OLDEST[0]}.{OLDEST[1]} or later.",
            "Its Jobs cannot yet limit retries per index. Use a newer cluster, or another context of your kubeconfig.",
        )
    return version


async def _place(
    client: KubernetesClient,
    namespace: str,
    runtime: RuntimePlace,
    needed: tuple[tuple[str, str], ...],
) -> bool:
    """Put the runtime in place; tells whether the namespace is known to enforce *restricted*."""
    restricted, denied = await asyncio.gather(
        _enforces_restricted(client, namespace), _denied(client, namespace, needed)
    )
    try:
        if not denied:
            await runtime.put(namespace)
            return restricted
    except NotFound as error:
        raise ClusterConfigurationError(
            f"The cluster has no namespace {namespace}.",
            f"Create it (kubectl create namespace {namespace}), or name another with @kubernetes(namespace=…) "
            "or HEADWAY_KUBERNETES_NAMESPACE.",
        ) from error
    except (Forbidden, Invalid) as error:
        raise ClusterConfigurationError(
            f"The cluster refuses what a run needs in namespace {namespace}: {error.message}", error.hint
        ) from error
    raise ClusterConfigurationError(
        f"You may not do in namespace {namespace} what a run needs: {', '.join(denied)}.",
        "Ask for a Role with these verbs there (the documentation has it whole), "
        "or name another namespace with @kubernetes(namespace=…) or HEADWAY_KUBERNETES_NAMESPACE.",
    )


async def _enforces_restricted(client: KubernetesClient, namespace: str) -> bool:
    """Whether the namespace says so; one that we may not read shows it by refusing the first pod."""
    try:
        found = await client.get(NAMESPACE, None, namespace)
    except ApiError:
        return False
    return found.metadata.labels.get(ENFORCE_LABEL) == "restricted"


async def _denied(client: KubernetesClient, namespace: str, needed: tuple[tuple[str, str], ...]) -> list[str]:
    answers = await asyncio.gather(*(client.can_i(verb, resource, namespace) for verb, resource in needed))
    return [
        f"{verb} {resource}" for (verb, resource), allowed in zip(needed, answers, strict=True) if not allowed
    ]
