"""The definitions in `definitions.json`, loaded when first asked for."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

Node = dict[str, Any]
"""One node of an OpenAPI schema."""

_PREFIX = "#/components/schemas/"


@lru_cache(maxsize=1)
def definitions() -> dict[str, Node]:
    """Every definition, by its full name."""
    text = Path(__file__).with_name("definitions.json").read_bytes()
    found: dict[str, Node] = msgspec.json.decode(text)
    return found


def resolved(node: Node) -> tuple[Node, str]:
    """The definition a node refers to, and the definition's name ("" for an inline schema)."""
    if "allOf" in node:
        node = node["allOf"][0]
    reference = node.get("$ref")
    if reference is None:
        return node, ""
    name = str(reference).removeprefix(_PREFIX)
    return definitions()[name], name


def properties(name: str) -> Node:
    """The properties of a definition."""
    found: Node = definitions()[name].get("properties", {})
    return found


def closure(names: list[str]) -> dict[str, Node]:
    """The named definitions and all that they refer to."""
    found: dict[str, Node] = {}
    wanted = list(names)
    while wanted:
        name = wanted.pop()
        if name in found or name not in definitions():
            continue
        found[name] = definitions()[name]
        _collect(found[name], wanted)
    return found


def _collect(node: Any, into: list[str]) -> None:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                into.append(str(value).removeprefix(_PREFIX))
            else:
                _collect(value, into)
    elif isinstance(node, list):
        for item in node:
            _collect(item, into)
