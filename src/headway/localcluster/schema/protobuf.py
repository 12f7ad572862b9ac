"""Reading Kubernetes' protobuf encoding, which some clients send although every answer here is JSON."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from headway.localcluster.objects.meta import Object, timestamp
from headway.localcluster.schema.definitions import definitions

_MAGIC = b"k8s\x00"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"

Field = tuple[str, str, str]
"""JSON name, form (`optional`, `repeated`, `map`) and type."""


@lru_cache(maxsize=1)
def _messages() -> dict[str, dict[str, Field]]:
    raw = Path(__file__).with_name("protobuf.json").read_bytes()
    return msgspec.json.decode(raw, type=dict[str, dict[str, Field]])


def decode(body: bytes, definition: str) -> Object:
    """The object in a protobuf body, as JSON values.

    Args:
        body: The whole body, with its envelope.
        definition: What it holds.

    Raises:
        ValueError: It is not that.
    """
    if not body.startswith(_MAGIC):
        raise ValueError("the body does not begin as Kubernetes' protobuf encoding does")
    envelope = {number: value for number, _, value in _fields(body[len(_MAGIC) :])}
    kind = {number: value for number, _, value in _fields(envelope.get(1, b""))}
    result = _message(envelope.get(2, b""), definition)
    for name, number in (("apiVersion", 1), ("kind", 2)):
        if kind.get(number):
            result[name] = kind[number].decode()
    return result


def _fields(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """Field number, wire type and raw value, one after the other."""
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        wire = tag & 7
        if wire == 0:
            value, place = _varint(data, place)
            yield tag >> 3, wire, value
        elif wire == 1:
            yield tag >> 3, wire, data[place : place + 8]
            place += 8
        elif wire == 2:
            size, place = _varint(data, place)
            yield tag >> 3, wire, data[place : place + size]
            place += size
        else:
            raise ValueError(f"wire type {wire} is not used by Kubernetes")


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if place >= len(data):
            raise ValueError("the body ends in the middle of a number")
        byte = data[place]
        value |= (byte & 127) << shift
        place += 1
        if byte < 128:
            return value, place
        shift += 7


def _message(data: bytes, name: str) -> Object:
    known = _messages().get(name, {})
    schema = definitions().get(name, {}).get("properties")
    result: Object = {}
    for number, _, raw in _fields(data):
        field = known.get(str(number))
        if field is None:
            continue
        title, form, kind = field
        if form == "map":
            parts = {place: value for place, _, value in _fields(raw)}
            result.setdefault(title, {})[parts.get(1, b"").decode()] = _value(parts.get(2, b""), kind)
            continue
        value = _value(raw, kind)
        if form == "repeated":
            result.setdefault(title, []).append(value)
        elif schema is not None and title not in schema and isinstance(value, dict):
            # A struct that Go embeds: its fields stand in the parent.
            result.update(value)
        elif value not in ("", None):
            result[title] = value
    return result


def _value(raw: Any, kind: str) -> Any:
    if kind == "string":
        return raw.decode()
    if kind == "bytes":
        return base64.b64encode(raw).decode()
    if kind == "bool":
        return bool(raw)
    if kind in ("int32", "int64"):
        return raw - (1 << 64) if raw >= 1 << 63 else raw
    if kind == "double":
        return struct.unpack("<d", raw)[0]
    return _struct(raw, kind)


def _struct(raw: bytes, kind: str) -> Any:
    parts = {number: value for number, _, value in _fields(raw)}
    if kind == _QUANTITY:
        return parts.get(1, b"0").decode()
    if kind == _INT_OR_STRING:
        return parts.get(3, b"").decode() if parts.get(1) else parts.get(2, 0)
    if kind in (_META + "Time", _META + "MicroTime"):
        return timestamp(parts[1]) if parts.get(1) else None
    if kind == _META + "FieldsV1":
        return msgspec.json.decode(parts.get(1) or b"{}")
    return _message(raw, kind)
