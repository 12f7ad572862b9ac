"""Reading an object as the API server does: types checked, unknown fields found, nulls dropped."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any

from headway.localcluster.objects import quantity
from headway.localcluster.objects.failures import bad_request
from headway.localcluster.objects.kinds import Kind
from headway.localcluster.objects.meta import Object, parse_timestamp
from headway.localcluster.schema.definitions import Node, definitions, resolved

_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
_TIMES = (
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
)
_GO_TYPES = {"boolean": "bool", "string": "string", "number": "float64"}


class _MismatchError(Exception):
    """A value of the wrong JSON type."""


@dataclass
class _Reading:
    """One object being read; what was unknown in it gathers here."""

    unknown: list[str] = field(default_factory=list)

    def value(self, node: Node, raw: Any, struct: str, path: str, where: str) -> Any:
        schema, name = resolved(node)
        if name == _QUANTITY:
            return _quantity(raw)
        if name == _INT_OR_STRING:
            if isinstance(raw, bool) or not isinstance(raw, (int, str)):
                raise _mismatch(raw, struct, path, "string")
            return raw
        if name in _TIMES:
            return _time(raw, struct, path)
        kind = schema.get("type")
        if kind == "object" or "properties" in schema:
            return self.mapping(schema, name, raw, struct, path, where)
        if kind == "array":
            if not isinstance(raw, list):
                raise _mismatch(raw, struct, path, f"[]{_go_type(schema['items'])}")
            items = schema["items"]
            return [self.value(items, item, struct, path, f"{where}[{i}]") for i, item in enumerate(raw)]
        return _scalar(schema, raw, struct, path)

    def mapping(self, schema: Node, name: str, raw: Any, struct: str, path: str, where: str) -> Any:
        if not isinstance(raw, dict):
            raise _mismatch(raw, struct, path, _short(name) if name else "map[string]string")
        known = schema.get("properties")
        result: Object = {}
        if known is None:
            values = schema.get("additionalProperties")
            if not isinstance(values, dict):
                return raw
            for key, item in raw.items():
                if item is not None:
                    result[key] = self.value(values, item, struct, path, f"{where}.{key}")
                elif values.get("type") == "string":
                    result[key] = ""
            return result
        inner = name.rpartition(".")[2] if name else struct
        for key, item in raw.items():
            child = known.get(key)
            below = f"{where}.{key}" if where else key
            if child is None:
                self.unknown.append(below)
            elif item is not None:
                result[key] = self.value(child, item, inner, f"{path}.{key}" if path else key, below)
        return result


def decode(kind: Kind, raw: Any) -> tuple[Object, list[str]]:
    """The object with only the fields that the kind has.

    Args:
        kind: What the object should be.
        raw: The decoded JSON.

    Returns:
        The object, and the paths of the fields that the kind does not know.

    Raises:
        ApiError: 400, a field has the wrong type.
    """
    reading = _Reading()
    try:
        obj = reading.value(definitions()[kind.schema], raw, kind.name, "", "")
    except _MismatchError as mismatch:
        raise cannot_handle(kind, str(mismatch)) from mismatch
    except ValueError as error:
        raise cannot_handle(kind, str(error)) from error
    obj["apiVersion"], obj["kind"] = kind.api_version, kind.name
    if not isinstance(obj.get("metadata"), dict):
        obj["metadata"] = {}
    return obj, reading.unknown


def cannot_handle(kind: Kind, why: str) -> Exception:
    """400 in the words of a failed decoding."""
    version = kind.version
    return bad_request(f'{kind.name} in version "{version}" cannot be handled as a {kind.name}: {why}')


def unknown_field(path: str) -> str:
    """The words for one field that nobody knows."""
    return f'unknown field "{path}"'


def _scalar(schema: Node, raw: Any, struct: str, path: str) -> Any:
    kind = schema.get("type")
    if kind == "string":
        if not isinstance(raw, str):
            raise _mismatch(raw, struct, path, "string")
        if schema.get("format") == "byte":
            try:
                base64.b64decode(raw, validate=True)
            except binascii.Error as error:
                raise ValueError(f"illegal base64 data: {error}") from error
    elif kind == "boolean":
        if not isinstance(raw, bool):
            raise _mismatch(raw, struct, path, "bool")
    elif kind == "integer":
        if isinstance(raw, float) and raw.is_integer():
            return int(raw)
        if isinstance(raw, bool) or not isinstance(raw, int):
            raise _mismatch(raw, struct, path, str(schema.get("format", "int64")))
    return raw


def _quantity(raw: Any) -> str:
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float)):
        raise ValueError(quantity.PATTERN_MESSAGE)
    return quantity.canonical(raw)


def _time(raw: Any, struct: str, path: str) -> str:
    if not isinstance(raw, str):
        raise _mismatch(raw, struct, path, "string")
    try:
        parse_timestamp(raw)
    except ValueError as error:
        raise ValueError(f'parsing time "{raw}" as "2006-01-02T15:04:05Z07:00": cannot parse') from error
    return raw


def _mismatch(raw: Any, struct: str, path: str, go_type: str) -> _MismatchError:
    names = {bool: "bool", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    found = names.get(type(raw), "value")
    return _MismatchError(
        f"json: cannot unmarshal {found} into Go struct field {struct}.{path} of type {go_type}"
    )


def _go_type(node: Node) -> str:
    schema, name = resolved(node)
    if name:
        return _short(name)
    kind = str(schema.get("type"))
    return str(schema.get("format", "int64")) if kind == "integer" else _GO_TYPES.get(kind, kind)


def _short(name: str) -> str:
    return ".".join(name.split(".")[-2:])
