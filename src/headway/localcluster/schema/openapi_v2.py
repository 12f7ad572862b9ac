"""The one thing kubectl still asks the old OpenAPI document: whether a list may leave validation to the server."""

from __future__ import annotations

_MARK = '{"group": "", "kind": "Namespace", "version": "v1"}'


def document() -> bytes:
    """The smallest protobuf document that says so, for the kind kubectl looks at (Namespace)."""
    query = _text(2, "query") + _text(4, "fieldValidation")
    parameter = _nested(1, _nested(2, _nested(3, query)))
    extension = _text(1, "x-kubernetes-group-version-kind") + _nested(2, _text(2, _MARK))
    patch = _nested(8, parameter) + _nested(13, extension)
    path = _text(1, "/api/v1/namespaces/{name}") + _nested(2, _nested(8, patch))
    info = _text(1, "Kubernetes") + _text(2, "unversioned")
    return _text(1, "2.0") + _nested(2, info) + _nested(8, _nested(2, path))


def _text(field: int, text: str) -> bytes:
    return _nested(field, text.encode())


def _nested(field: int, content: bytes) -> bytes:
    return _number(field << 3 | 2) + _number(len(content)) + content


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
