"""What every object carries: names, uids, timestamps, references, and copies of whole objects."""

from __future__ import annotations

import random
import uuid
from datetime import datetime, timezone
from typing import Any

import msgspec

Object = dict[str, Any]
"""A Kubernetes object as plain JSON values. Objects held by the store are never changed in place."""

_SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_MAX_GENERATED_BASE = 58

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def encode(value: object) -> bytes:
    """The value as JSON."""
    return _encode(value)


def copied(obj: Object) -> Object:
    """A deep copy that the caller may change."""
    result: Object = _decode(_encode(obj))
    return result


def timestamp(seconds: float) -> str:
    """Epoch seconds as Kubernetes writes times: RFC 3339, whole seconds, UTC."""
    return datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_timestamp(seconds: float) -> str:
    """Epoch seconds as a `MicroTime`."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_timestamp(text: str) -> float:
    """Epoch seconds of an RFC 3339 time; fractions are kept.

    Raises:
        ValueError: The text is not such a time.
    """
    head, dot, tail = text.partition(".")
    if dot:
        digits = tail.rstrip("Z")
        zone = ""
        for mark in ("+", "-"):
            if mark in digits:
                digits, _, zone = digits.partition(mark)
                zone = mark + zone
        text = f"{head}.{digits[:6].ljust(6, '0')}{zone or 'Z'}"
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def new_uid() -> str:
    """A fresh uid."""
    return str(uuid.uuid4())


def generated_name(base: str) -> str:
    """A name for `generateName`, with the alphabet and length that Kubernetes uses."""
    return base[:_MAX_GENERATED_BASE] + "".join(random.choices(_SUFFIX_ALPHABET, k=5))  # noqa: S311 - no secret


def name_of(obj: Object) -> str:
    """`metadata.name`."""
    return str(obj["metadata"]["name"])


def namespace_of(obj: Object) -> str:
    """`metadata.namespace`, or the empty string."""
    return str(obj["metadata"].get("namespace", ""))


def uid_of(obj: Object) -> str:
    """`metadata.uid`."""
    return str(obj["metadata"]["uid"])


def controller_of(obj: Object) -> Object | None:
    """The owner reference that manages this object, if any."""
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            found: Object = reference
            return found
    return None


def condition(status: Object, kind: str) -> Object | None:
    """The condition of this type in a status, if it is there."""
    for entry in status.get("conditions") or ():
        if entry["type"] == kind:
            found: Object = entry
            return found
    return None


def is_true(status: Object, kind: str) -> bool:
    """Whether the condition of this type is there and `True`."""
    entry = condition(status, kind)
    return entry is not None and entry["status"] == "True"
