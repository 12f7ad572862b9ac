"""What the events of a pod that stands still say beyond its state: volumes, sandboxes, autoscalers. Pure."""

import re
from collections.abc import Iterable
from datetime import datetime, timezone

from headway.executors.kubernetes.api.types import Event
from headway.executors.kubernetes.standstill import Standstill
from headway.store.records import INFRASTRUCTURE

#: Seconds for which a volume or a network that cannot be set up is waited for.
_TROUBLE_PATIENCE = 600.0

_MISSING = re.compile(r"(secret|configmap|persistentvolumeclaim) \"([^\"]+)\" not found", re.IGNORECASE)
_MISSING_KEY = re.compile(r"references non-existent (secret|config) key: ?(\S+)", re.IGNORECASE)
_VOLUME = re.compile(r'volume "([^"]+)"')
_CALLED = {"secret": "secret", "configmap": "config map", "persistentvolumeclaim": "volume claim"}

#: While an image is on its way.
PULLING = "Pulling"

#: After these, what stood in the way before does so no longer.
_PROGRESS = ("SuccessfulAttachVolume", "SuccessfulMountVolume", "Pulled", "Created", "Started")
_SCALING = ("TriggeredScaleUp", "NotTriggerScaleUp", "Nominated")
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
    for event in reversed(in_order(events)):
        if event.reason in _PROGRESS:
            return None
        if event.reason == PULLING:
            return Standstill(PULLING, f"its node is still pulling the image {image}")
        if event.reason in ("FailedMount", "FailedAttachVolume", "FailedMapVolume"):
            return _volume(event, patience)
        if event.reason in ("FailedCreatePodSandBox", "NetworkNotReady"):
            return Standstill(
                event.reason,
                f"its node cannot set up the pod: {_short(event.message)}",
                _TROUBLE_PATIENCE,
                "The node's network or container runtime is in trouble; after ten minutes another pod is tried.",
                INFRASTRUCTURE,
            )
    return None


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
        _TROUBLE_PATIENCE,
        "See the claim and its storage class: kubectl describe pvc; after ten minutes another pod is tried.",
        INFRASTRUCTURE,
    )


def scaling(events: Iterable[Event]) -> tuple[bool, str]:
    """(whether an autoscaler makes a node for the pod, what it says of it, "" where there is none)."""
    for event in reversed(in_order(events)):
        if event.reason in _SCALING:
            return event.reason != "NotTriggerScaleUp", event.message.strip()
    return False, ""


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


def _short(text: str, most: int = 300) -> str:
    said = " ".join(text.split())
    return said if len(said) <= most else f"{said[:most]}…"
