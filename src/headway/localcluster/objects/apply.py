"""Server-side apply: who set which field, and what an applied configuration does to an object."""

from __future__ import annotations

import json
from typing import Any

from headway.localcluster.objects.failures import ApiError
from headway.localcluster.objects.kinds import Kind
from headway.localcluster.objects.meta import Object, timestamp
from headway.localcluster.schema.definitions import Node, definitions, resolved

Fields = dict[str, Any]
"""A `fieldsV1` tree: `f:name`, `k:{"name":"x"}` and `v:"x"` keys; a leaf is an empty tree."""

_IDENTITY = {"apiVersion", "kind"}
_META_IDENTITY = {
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "managedFields",
    "generation",
}


def apply(
    kind: Kind, live: Object | None, wanted: Object, manager: str, now: float, *, force: bool
) -> Object:
    """The object after a manager applied its configuration.

    Only managers that apply are tracked; a plain write owns nothing here.

    Args:
        kind: The kind.
        live: The object as it is, which may be changed; None to create it.
        wanted: What the manager says the object should have.
        manager: Its name.
        now: Epoch seconds.
        force: Take fields over from other managers.

    Raises:
        ApiError: 409, another manager applied another value to one of these fields.
    """
    schema = definitions()[kind.schema]
    fields = _fields(schema, {key: value for key, value in wanted.items() if key not in _IDENTITY})
    own_meta = fields.get("f:metadata", {})
    for name in _META_IDENTITY:
        own_meta.pop(f"f:{name}", None)
    if not own_meta:
        fields.pop("f:metadata", None)
    entries = [dict(entry) for entry in ((live or {}).get("metadata", {}).get("managedFields") or ())]
    others = [entry for entry in entries if entry["manager"] != manager]
    if live is not None:
        _resolve_conflicts(schema, live, wanted, fields, others, force=force)
        previous: Fields = next((entry["fieldsV1"] for entry in entries if entry["manager"] == manager), {})
        for other in (fields, *(entry["fieldsV1"] for entry in others)):
            previous = _difference(previous, other)
        _remove(schema, live, previous)
    result: Object = _merged(schema, live or {}, wanted)
    others.append(
        {
            "manager": manager,
            "operation": "Apply",
            "apiVersion": kind.api_version,
            "time": timestamp(now),
            "fieldsType": "FieldsV1",
            "fieldsV1": fields,
        }
    )
    result["metadata"]["managedFields"] = others
    return result


def _fields(node: Node, value: Any) -> Fields:
    """The tree of the fields that a value sets."""
    schema, _ = resolved(node)
    if isinstance(value, dict) and node.get("x-kubernetes-map-type") != "atomic":
        children = schema.get("properties")
        extra = schema.get("additionalProperties", {})
        return {
            f"f:{key}": _fields((children or {}).get(key, extra if isinstance(extra, dict) else {}), item)
            for key, item in value.items()
        }
    keys = _list_keys(node)
    if isinstance(value, list) and keys:
        return {_item_key(keys, item): {".": {}, **_fields(schema["items"], item)} for item in value}
    if isinstance(value, list) and node.get("x-kubernetes-list-type") == "set":
        return {f"v:{json.dumps(item)}": {} for item in value}
    return {}


def _list_keys(node: Node) -> list[str]:
    if node.get("x-kubernetes-list-type") != "map":
        return []
    return list(node.get("x-kubernetes-list-map-keys") or ())


def _item_key(keys: list[str], item: Object) -> str:
    return "k:" + json.dumps({key: item[key] for key in keys if key in item}, separators=(",", ":"))


def _difference(left: Fields, right: Fields) -> Fields:
    """What of `left` is not in `right`."""
    kept = {}
    for key, below in left.items():
        if key not in right:
            kept[key] = below
        elif below and (rest := _difference(below, right[key])):
            kept[key] = rest
    return kept


def _remove(node: Node, value: Any, fields: Fields) -> None:
    """Take the fields of a tree out of a value, in place."""
    schema, _ = resolved(node)
    for key, below in fields.items():
        if key.startswith("f:") and isinstance(value, dict) and key[2:] in value:
            name = key[2:]
            children = schema.get("properties") or {}
            if below and name in children:
                _remove(children[name], value[name], below)
            elif not below:
                del value[name]
        elif key.startswith("k:") and isinstance(value, list):
            wanted = json.loads(key[2:])
            for item in list(value):
                if all(item.get(name) == part for name, part in wanted.items()):
                    if "." in below:
                        value.remove(item)
                    else:
                        _remove(schema["items"], item, below)
        elif key.startswith("v:") and isinstance(value, list) and json.loads(key[2:]) in value:
            value.remove(json.loads(key[2:]))


def _merged(node: Node, live: Any, wanted: Any) -> Any:
    schema, _ = resolved(node)
    if isinstance(wanted, dict) and isinstance(live, dict) and node.get("x-kubernetes-map-type") != "atomic":
        children = schema.get("properties") or {}
        for key, value in wanted.items():
            live[key] = _merged(children.get(key, {}), live[key], value) if key in live else value
        return live
    keys = _list_keys(node)
    if isinstance(wanted, list) and isinstance(live, list):
        if keys:
            for item in wanted:
                same = next((i for i, old in enumerate(live) if _same(keys, old, item)), None)
                if same is None:
                    live.append(item)
                else:
                    live[same] = _merged(schema["items"], live[same], item)
            return live
        if node.get("x-kubernetes-list-type") == "set":
            return live + [item for item in wanted if item not in live]
    return wanted


def _same(keys: list[str], left: Object, right: Object) -> bool:
    return all(left.get(key) == right[key] for key in keys if key in right)


def _resolve_conflicts(
    schema: Node, live: Object, wanted: Object, fields: Fields, others: list[Object], *, force: bool
) -> None:
    """Refuse fields that others applied with other values, or take them over."""
    changed = _changed_leaves(schema, live, wanted, fields)
    causes = []
    for entry in others:
        taken = _intersection(entry["fieldsV1"], changed)
        if not taken:
            continue
        if force:
            entry["fieldsV1"] = _difference(entry["fieldsV1"], taken)
            continue
        words = f'conflict with "{entry["manager"]}" using {entry["apiVersion"]}'
        causes += [
            {"reason": "FieldManagerConflict", "message": words, "field": path} for path in _paths(taken)
        ]
    if causes:
        count = f"{len(causes)} conflict{'s' if len(causes) > 1 else ''}"
        first = f"{causes[0]['message']}: {causes[0]['field']}"
        listed = first if len(causes) == 1 else "\n".join(f"- {c['message']}: {c['field']}" for c in causes)
        message = f"Apply failed with {count}: {listed}"
        raise ApiError(409, "Conflict", message, {"causes": causes})


def _changed_leaves(node: Node, live: Any, wanted: Any, fields: Fields) -> Fields:
    """The leaves of `fields` whose value would change."""
    schema, _ = resolved(node)
    changed: Fields = {}
    for key, below in fields.items():
        if key.startswith("f:") and isinstance(live, dict) and key[2:] in live:
            name = key[2:]
            child = (schema.get("properties") or {}).get(name, {})
            if below:
                if inner := _changed_leaves(child, live[name], wanted[name], below):
                    changed[key] = inner
            elif live[name] != wanted[name]:
                changed[key] = {}
        elif key.startswith("k:") and isinstance(live, list):
            part = json.loads(key[2:])
            old = next((item for item in live if _same(list(part), item, part)), None)
            new = next(item for item in wanted if _same(list(part), item, part))
            if old is not None and (inner := _changed_leaves(schema["items"], old, new, below)):
                changed[key] = inner
    return changed


def _intersection(left: Fields, right: Fields) -> Fields:
    shared = {}
    for key, below in left.items():
        if key in right:
            inner = _intersection(below, right[key])
            if inner or not right[key]:
                shared[key] = inner
    return shared


def _paths(fields: Fields, prefix: str = "") -> list[str]:
    found = []
    for key, below in fields.items():
        if key.startswith("f:"):
            path = f"{prefix}.{key[2:]}"
        else:
            pairs = json.loads(key[2:])
            path = prefix + "[" + ",".join(f"{name}={json.dumps(part)}" for name, part in pairs.items()) + "]"
        found += _paths(below, path) if below else [path]
    return found
