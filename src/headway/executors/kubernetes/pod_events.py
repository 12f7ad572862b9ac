"""What the events of a pod that stands still say beyond its state: volumes, sandboxes, autoscalers. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone

from headway.executors.kubernetes.api.types import Event
from headway.executors.kubernetes.standstill import TROUBLE_PATIENCE, Standstill
from headway.executors.kubernetes.start_words import MORE_MEMORY, start_trouble
from headway.store.records import INFRASTRUCTURE, OUT_OF_MEMORY, RESOURCES

_MISSING = re.compile(r"(secret|configmap|persistentvolumeclaim) \"([^\"]+)\" not found", re.IGNORECASE)
_MISSING_KEY = re.compile(r"references non-existent (secret|config) key: ?(\S+)", re.IGNORECASE)
_PULLED = re.compile(r'Pulling image "([^"]+)"')
_VOLUME = re.compile(r'volume "([^"]+)"')
_CALLED = {"secret": "secret", "configmap": "config map", "persistentvolumeclaim": "volume claim"}

#: While an image is on its way.
PULLING = "Pulling"
#: While a container runs that has to be done before the step's begins.
INITIALIZING = "Initializing"

#: After these, what stood in the way before does so no longer.
_PROGRESS = ("SuccessfulAttachVolume", "SuccessfulMountVolume", "Pulled", "Created", "Started")
_SCALING = ("TriggeredScaleUp", "NotTriggerScaleUp", "Nominated", "FailedScaleUp")
#: What autoscalers write where a pool would do, had it room or had it not just failed: of the cluster autoscaler,
#: of GKE's, of Karpenter.
_OUT_OF_STOCK = re.compile(
    r"in backoff|max node group size|not ready for scale-up|limit (?:was )?reached|limits? exceeded"
    r"|exceeds? limits?|quota|out of resources|insufficient capacity|insufficient_?capacity|stockout",
    re.IGNORECASE,
)
#: The word for a claim without a volume.
UNBOUND = "UnboundClaim"
#: Why it has none; that one is asked for, or that the claim waits for its first pod, tells less.
_LACKING = ("ProvisioningFailed", "FailedBinding")
_ASKED_FOR = "ExternalProvisioning"
_EARLIEST = datetime.min.replace(tzinfo=timezone.utc)


def in_order(events: Iterable[Event]) -> list[Event]:
    """The events by the time at which each was last seen."""
    return sorted(events, key=lambda event: event.last_seen or _EARLIEST)


def setting_up(events: Iterable[Event], image: str, patience: float) -> Standstill | None:
    """Why a pod on a node is not running yet; None where its events tell of nothing.

    Args:
        events: The pod's.
        image: The image of the step's container.
        patience: Seconds for which what looks like a wrong configuration is waited for.
    """
    known = in_order(events)
    for event in reversed(known):
        if event.reason in _PROGRESS:
            return None
        if event.reason == PULLING:
            # It may be an init container's.
            named = _PULLED.search(event.message)
            return Standstill(PULLING, f"its node is still pulling the image {named[1] if named else image}")
        if event.reason in ("FailedMount", "FailedAttachVolume", "FailedMapVolume"):
            return _volume(event, patience)
        if event.reason == "FailedCreatePodSandBox" and (killed := _killed(known)):
            words = f"the pod cannot be set up, as its memory limit is too low for that: {killed}"
            return Standstill(OUT_OF_MEMORY, words, patience, MORE_MEMORY, RESOURCES)
        if event.reason in ("FailedCreatePodSandBox", "NetworkNotReady"):
            return Standstill(
                event.reason,
                f"its node cannot set up the pod: {_short(event.message)}",
                TROUBLE_PATIENCE,
                "The node's network or container runtime is in trouble; after ten minutes another pod is tried.",
                INFRASTRUCTURE,
            )
    return None


def initializing(pod: str, init: str) -> Standstill:
    """An init container takes its time.

    Args:
        pod: The pod's name.
        init: The init container's.
    """
    return Standstill(
        INITIALIZING,
        f"its init container {init} runs, and the step begins once that is done",
        hint=f"See what it does: kubectl logs {pod} -c {init}.",
    )


def _volume(event: Event, patience: float) -> Standstill:
    missing, key = _MISSING.search(event.message), _MISSING_KEY.search(event.message)
    if missing:
        what = f"{_CALLED[missing.group(1).lower()]} {missing.group(2)}"
        return Standstill(
            event.reason,
            f"a volume cannot be mounted: the {what} does not exist",
            patience,
            f"Create the {what} in the pod's namespace, or correct volumes= of the step.",
        )
    if key:
        return Standstill(
            event.reason,
            f"a volume cannot be mounted: its {key.group(1)} has no key {key.group(2)}",
            patience,
            "Add the key, or name one that is there in the volume's items.",
        )
    if "hostPath type check failed" in event.message:
        return Standstill(
            event.reason,
            f"a volume cannot be mounted: {_short(event.message.partition('type check failed: ')[2])}",
            patience,
            "Such a path has to be there on every node that the pod may run on: correct path or type of the volume's "
            "hostPath, or choose the nodes that have it.",
        )
    volume = _VOLUME.search(event.message)
    named = f" {volume.group(1)}" if volume else ""
    if "Multi-Attach" in event.message:
        return Standstill(
            "MultiAttach",
            f"the volume{named} is attached to another node, and can be to one only: {_short(event.message)}",
            hint="Waiting goes on until the pod that uses it ends. A claim with access mode ReadWriteMany can be "
            "shared by several nodes.",
        )
    return Standstill(
        event.reason,
        f"the volume{named} cannot be mounted: {_short(event.message)}",
        TROUBLE_PATIENCE,
        "See the claim and its storage class: kubectl describe pvc; after ten minutes another pod is tried.",
        INFRASTRUCTURE,
    )


@dataclass(frozen=True, slots=True)
class Scaling:
    """What an autoscaler says of a pod that no node takes.

    Attributes:
        makes: Whether it makes a node for the pod.
        words: Its own words, "" where there is no autoscaler.
        out_of_stock: Whether it would make one, but for want of machines, of quota, or because its last try failed.
    """

    makes: bool = False
    words: str = ""
    out_of_stock: bool = False


def scaling(events: Iterable[Event]) -> Scaling:
    """What the last of an autoscaler's events about a pod says."""
    for event in reversed(in_order(events)):
        words = event.message.strip()
        if event.reason in _SCALING or (event.reason == "FailedScheduling" and _is_karpenters(words)):
            makes = event.reason not in ("NotTriggerScaleUp", "FailedScaleUp", "FailedScheduling")
            stock = event.reason == "FailedScaleUp" or _OUT_OF_STOCK.search(words) is not None
            return Scaling(makes, words, not makes and stock)
    return Scaling()


def _is_karpenters(words: str) -> bool:
    """Whether it is Karpenter who says so: it gives what it cannot do the scheduler's name for it."""
    return "nodepool" in words and "nodes are available" not in words


def unbound(claim: str, events: Iterable[Event]) -> Standstill | None:
    """Why a claim that a pod without a node waits for has no volume; None where its events tell of nothing.

    Args:
        claim: The claim's name.
        events: The claim's.
    """
    asked = ""
    for event in reversed(in_order(events)):
        if event.reason == "ProvisioningSucceeded":
            break
        if event.reason in _LACKING:
            return _unbound(claim, event.message)
        if event.reason == _ASKED_FOR and not asked:
            asked = event.message
    return _unbound(claim, asked) if asked else None


def _unbound(claim: str, said: str) -> Standstill:
    return Standstill(
        UNBOUND,
        f"the volume claim {claim} is not bound to a volume yet: {_short(said)}",
        hint=f"Waiting goes on until it is; check its storage class: kubectl describe pvc {claim}.",
    )


def _killed(events: Iterable[Event]) -> str:
    """The node's words where it has no room for the sandbox itself in what the pod may hold, "" where it has.

    In between it says only that what was killed cannot be started.
    """
    for event in events:
        if event.reason == "FailedCreatePodSandBox" and start_trouble(event.message).kind == RESOURCES:
            return event.message.strip().removesuffix(": unknown").rpartition(": ")[2]
    return ""


def _short(text: str, most: int = 300) -> str:
    said = " ".join(text.split())
    return said if len(said) <= most else f"{said[:most]}…"
