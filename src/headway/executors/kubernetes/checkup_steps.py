"""What becomes of each step's pods in a cluster, before there are any: admitted, with room, on some node."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from headway.config.fields import replace
from headway.config.kubernetes import KubernetesSettings
from headway.executors.kubernetes.admission import Verdict, ask
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import ApiError, Forbidden, NotFound
from headway.executors.kubernetes.api.kinds import NODE, PERSISTENT_VOLUME_CLAIM, RESOURCE_QUOTA, Kind
from headway.executors.kubernetes.api.types import Node, PersistentVolumeClaim, ResourceQuota
from headway.executors.kubernetes.cluster import Prepared
from headway.executors.kubernetes.findings import BAD, GOOD, POOR, Finding, of_steps
from headway.executors.kubernetes.fitting import fit, may_grow
from headway.executors.kubernetes.named import named_objects
from headway.executors.kubernetes.needs import Needs, sizeless
from headway.executors.kubernetes.quotas import room_for, rooms

Settings = Mapping[str, KubernetesSettings]
Manifests = Sequence[Mapping[str, Any]]
#: From the steps' settings to what a run would create for the first tasks of each.
Maker = Callable[[Settings], Mapping[str, Manifests]]

#: What a missing object is refused for, which is told by its name already.
_NAMED = {"ServiceAccount": "ServiceAccount", "PriorityClass": "PriorityClass"}
_QUOTA = ("Quota", "QuotaTooSmall")

#: What to do where the nodes are ones that somebody may make more of.
_GROWS = (
    "A run waits for an autoscaler to make one, HEADWAY_KUBERNETES_UNSCHEDULABLE_TIMEOUT seconds (600; 0 for ever). "
    "Where none will: ask for less, add tolerations or change the selector."
)

Found = list[tuple[str, Finding]]
#: By step: what the API server says of its objects, and the objects.
Verdicts = Mapping[str, tuple[Verdict, Manifests]]


async def examine_steps(cluster: Prepared, steps: Settings, make: Maker) -> AsyncIterator[Finding]:
    """Look for what the steps' pods name, have the API server judge them, and hold them against quotas and nodes.

    Args:
        cluster: The cluster.
        steps: Settings by step.
        make: Makes what a run would create.
    """
    client = cluster.client
    missing: Found = []
    for step, settings in steps.items():
        missing += [(step, finding) async for finding in _needed_objects(client, settings)]
    verdicts = await _verdicts(cluster, steps, make)
    for finding in of_steps([*missing, *await _admission(client, verdicts, missing)]):
        yield finding
    async for finding in _nodes(client, verdicts):
        yield finding


async def quotas_of(client: KubernetesClient, namespace: str) -> tuple[tuple[ResourceQuota, ...], str]:
    """The namespace's quotas, and why they cannot be read, "" where they can."""
    try:
        return tuple((await client.list(RESOURCE_QUOTA, namespace)).items), ""
    except ApiError as error:
        return (), _why_not(error, "list", RESOURCE_QUOTA)


def _why_not(error: ApiError, verb: str, kind: Kind[Any]) -> str:
    """Why something cannot be looked at."""
    if isinstance(error, Forbidden):
        return f"you may not {verb} {kind.plural}"
    return f"the cluster does not tell ({error.message.rstrip('.')})"


# What admission and quotas say


async def _verdicts(cluster: Prepared, steps: Settings, make: Maker) -> Verdicts:
    """What the API server says; of warm pods that a step leaves to others, only that step has objects."""
    client = cluster.client
    restricted = {
        step: own for step, own in steps.items() if own.namespace in cluster.restricted and _is_auto(own)
    }
    found = await _asked(client, {**steps, **_restricted(restricted)}, make)
    refused = {
        step: steps[step]
        for step, (verdict, _) in found.items()
        if any(why.reason == "PodSecurity" for _, why in verdict.refusals) and _is_auto(steps[step])
    }
    if refused.keys() - restricted.keys():
        # A run does the same once it hears of it.
        again = await _asked(client, {**steps, **_restricted({**restricted, **refused})}, make)
        found.update({step: again[step] for step in refused if step in again})
    return found


async def _asked(
    client: KubernetesClient, settings: Settings, make: Maker
) -> dict[str, tuple[Verdict, Manifests]]:
    made = {step: manifests for step, manifests in make(settings).items() if manifests}
    namespaces = sorted({settings[step].namespace for step in made})
    answers = await asyncio.gather(*(client.can_i("create", "pods", name) for name in namespaces))
    pods = dict(zip(namespaces, answers, strict=True))
    verdicts = await asyncio.gather(
        *(ask(client, manifests, pods=pods[settings[step].namespace]) for step, manifests in made.items())
    )
    return {step: (verdict, made[step]) for step, verdict in zip(made, verdicts, strict=True)}


def _is_auto(settings: KubernetesSettings) -> bool:
    return settings.security_profile == "auto"


def _restricted(steps: Settings) -> dict[str, KubernetesSettings]:
    return {step: replace(own, security_profile="restricted") for step, own in steps.items()}


async def _admission(client: KubernetesClient, verdicts: Verdicts, missing: Found) -> Found:
    namespaces = sorted({_namespace(manifests) for _, manifests in verdicts.values()})
    answers = await asyncio.gather(*(quotas_of(client, name) for name in namespaces))
    quotas = dict(zip(namespaces, answers, strict=True))
    found: Found = []
    for step, (verdict, manifests) in verdicts.items():
        known = {finding.what for name, finding in missing if name == step}
        counted, _ = quotas[_namespace(manifests)]
        room = room_for(rooms(counted, verdict.needs), _at_once(manifests))
        found += [(step, finding) for finding in _of_step(verdict, room, known)]
    return found


def _of_step(verdict: Verdict, room: Finding | None, missing: Iterable[str]) -> Iterator[Finding]:
    """What admission and quotas say of one step, each trouble once."""
    short = room is not None and room.grade != GOOD
    told = [reason for reason, kind in _NAMED.items() if any(kind in what for what in missing)]
    for what, why in verdict.refusals:
        if why.reason not in told and not (short and why.reason in _QUOTA and what == "its pods"):
            words = why.words.rstrip(".")
            yield Finding(POOR if why.waits else BAD, f"the cluster refuses {what}: {words}.", why.hint)
    if room is not None:
        yield room
    if verdict.unasked:
        words = f"whether the cluster admits it could not be asked beforehand: {verdict.unasked.rstrip('.')}."
        yield Finding(POOR, words)


def _namespace(manifests: Manifests) -> str:
    return str(manifests[0]["metadata"]["namespace"])


def _at_once(manifests: Manifests) -> int:
    """Pods that can do nothing before all of them are there: a gang's."""
    if all(manifest["kind"] != "Service" for manifest in manifests):
        return 1
    return max(int(each["spec"].get("completions", 1)) for each in manifests if each["kind"] == "Job")


# What is there and what is not


async def _nodes(client: KubernetesClient, verdicts: Verdicts) -> AsyncIterator[Finding]:
    try:
        nodes = (await client.list(NODE, None)).items
    except Forbidden:
        # That was said with the rights.
        return
    except ApiError as error:
        yield Finding(POOR, f"Nodes are not checked: {_why_not(error, 'list', NODE)}.")
        return
    if not nodes:
        yield Finding(POOR, "The cluster has no nodes yet: an autoscaler has to bring one.")
        return
    ready = [node for node in nodes if _is_ready(node)]
    kinds = sorted({node.metadata.labels.get("kubernetes.io/arch", "unknown") for node in nodes})
    grade = GOOD if ready else BAD
    yield Finding(grade, f"{len(ready)} of {len(nodes)} nodes are ready ({', '.join(kinds)}).")
    unfit = [
        (step, finding)
        for step, (verdict, manifests) in verdicts.items()
        if (finding := _unfit(verdict.needs, nodes, _at_once(manifests))) is not None
    ]
    for finding in of_steps(unfit):
        yield finding


def _unfit(needs: Needs, nodes: Sequence[Node], at_once: int) -> Finding | None:
    """Why the nodes could never run the pods, None where they could."""
    found, grows = fit(needs, nodes), may_grow(nodes) and not needs.node_name
    if found.words:
        # A pod that asks for next to nothing may show all else, if there is a node that would take it.
        stops = bool(fit(sizeless(needs), nodes).words)
        words = f"{found.words[:1].upper()}{found.words[1:]}"
        if grows:
            return Finding(
                POOR, f"no node that is there now could take its pods. {words}.", _GROWS, stops=stops
            )
        what = f"no node could ever take its pods. {words}."
        hint = "Ask for less, add tolerations or change the selector, unless an autoscaler makes such nodes."
        return Finding(BAD, what, hint, stops=stops)
    if found.room < at_once:
        places = f"the nodes, if empty, have places for {found.room}"
        what = f"at least {at_once} of its pods run at the same time, and {places}."
        if grows:
            return Finding(POOR, what, _GROWS)
        hint = "Ask for less or for fewer, unless an autoscaler makes more nodes."
        return Finding(BAD, what, hint, stops=False)
    return None


async def _needed_objects(client: KubernetesClient, settings: KubernetesSettings) -> AsyncIterator[Finding]:
    unread: dict[str, Finding] = {}
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
                f"there is no {kind.name} {name}{where}.",
                f"kubectl{option} get {kind.plural} shows what there is.",
            )
        except ApiError as error:
            where = f" in namespace {namespace}" if namespace else ""
            why = _why_not(error, "get", kind)
            unread[kind.plural] = Finding(
                POOR,
                f"whether each {kind.name} that its pods name is there is not checked: {why}{where}.",
                "A pod that lacks one says so. Ask for that right if you can; a run does without.",
            )
        else:
            if isinstance(found, PersistentVolumeClaim) and found.status.phase not in ("", "Bound"):
                yield _unbound(found)
    for finding in unread.values():
        yield finding


def _unbound(claim: PersistentVolumeClaim) -> Finding:
    name, namespace, phase = claim.metadata.name, claim.metadata.namespace, claim.status.phase
    lost = phase == "Lost"
    why = (
        "the volume that it had is gone"
        if lost
        else "pods wait until it is, unless the first of them binds it"
    )
    return Finding(
        BAD if lost else POOR,
        f"PersistentVolumeClaim {name} in namespace {namespace} is not bound ({phase}): {why}.",
        f"kubectl --namespace {namespace} describe {PERSISTENT_VOLUME_CLAIM.plural} {name} says why.",
    )


def _is_ready(node: Node) -> bool:
    return any(each.type == "Ready" and each.status == "True" for each in node.status.conditions)
