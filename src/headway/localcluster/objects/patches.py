"""The three ways to patch an object: JSON patch, JSON merge patch, strategic merge patch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headway.localcluster.objects.failures import ApiError, bad_request
from headway.localcluster.objects.meta import Object
from headway.localcluster.schema.definitions import Node, definitions, resolved

_DIRECTIVE = "$patch"
_ORDER = "$setElementOrder/"
_DELETE_ITEMS = "$deleteFromPrimitiveList/"
_RETAIN = "$retainKeys"


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386; `target` may be changed and is not to be used afterwards."""
    if not isinstance(patch, dict):
        return patch
    result = target if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def json_patch(target: Object, operations: Any) -> Object:
    """RFC 6902; `target` may be changed and is not to be used afterwards.

    Raises:
        ApiError: 400 for a patch that cannot be read, 422 for one that cannot be carried out.
    """
    if not isinstance(operations, list):
        raise bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch"
        )
    document: Any = target
    try:
        for operation in operations:
            document = _operate(document, operation)
    except (KeyError, IndexError, ValueError, TypeError) as error:
        why = f"the server rejected our request due to an error in our request: {error}"
        raise ApiError(422, "Invalid", why) from error
    result: Object = document
    return result


def _operate(document: Any, operation: Any) -> Any:
    verb, path = operation["op"], _pointer(operation["path"])
    if verb in ("move", "copy"):
        source = _pointer(operation["from"])
        value = _lookup(document, source)
        if verb == "move":
            document = _removed(document, source)
        return _added(document, path, value)
    if verb == "add":
        return _added(document, path, operation["value"])
    if verb == "remove":
        return _removed(document, path)
    if verb == "replace":
        _lookup(document, path)
        return _added(_removed(document, path), path, operation["value"]) if path else operation["value"]
    if verb == "test":
        if _lookup(document, path) != operation["value"]:
            raise ValueError("testing value failed")
        return document
    raise ValueError(f"Unexpected kind: {verb}")


def _pointer(text: str) -> list[str]:
    if text and not text.startswith("/"):
        raise ValueError("a path begins with /")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _lookup(document: Any, path: list[str]) -> Any:
    for part in path:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


def _added(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent = _lookup(document, path[:-1])
    if isinstance(parent, list):
        place = len(parent) if path[-1] == "-" else int(path[-1])
        if not 0 <= place <= len(parent):
            raise IndexError(f"index {place} out of bounds")
        parent.insert(place, value)
    else:
        parent[path[-1]] = value
    return document


def _removed(document: Any, path: list[str]) -> Any:
    parent = _lookup(document, path[:-1])
    if isinstance(parent, list):
        del parent[int(path[-1])]
    else:
        del parent[path[-1]]
    return document


def strategic_merge(schema_name: str, target: Object, patch: Any) -> Object:
    """Kubernetes' strategic merge, with merge keys from the kind's definition.

    Args:
        schema_name: The kind's definition.
        target: The object; may be changed and is not to be used afterwards.
        patch: The patch, with its directives.

    Raises:
        ApiError: 400, the patch is not an object.
    """
    if not isinstance(patch, dict):
        raise bad_request("error decoding patch: json: cannot unmarshal into Go value of type map")
    merged: Object = _merge_mapping(definitions()[schema_name], target, patch)
    return merged


def _merge_mapping(schema: Node, target: Object, patch: Object) -> Object:
    directive = patch.get(_DIRECTIVE)
    if directive == "delete":
        return {}
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != _DIRECTIVE}
    if _RETAIN in patch:
        kept = set(patch[_RETAIN])
        target = {key: value for key, value in target.items() if key in kept}
    children = schema.get("properties") or {}
    for key, value in patch.items():
        if key.startswith(_DELETE_ITEMS):
            name = key.removeprefix(_DELETE_ITEMS)
            target[name] = [item for item in target.get(name) or [] if item not in value]
        elif key.startswith("$"):
            continue
        elif value is None:
            target.pop(key, None)
        else:
            target[key] = _merge_value(children.get(key, {}), target.get(key), value)
    for key, value in patch.items():
        if key.startswith(_ORDER):
            name = key.removeprefix(_ORDER)
            if isinstance(target.get(name), list):
                target[name] = _ordered(children.get(name, {}), target[name], value)
    return target


def _merge_value(node: Node, current: Any, value: Any) -> Any:
    schema, _ = resolved(node)
    if isinstance(value, dict):
        return _merge_mapping(schema, current if isinstance(current, dict) else {}, value)
    if isinstance(value, list) and "merge" in str(node.get("x-kubernetes-patch-strategy", "")).split(","):
        return _merge_list(node, current if isinstance(current, list) else [], value)
    return value


def _merge_list(node: Node, current: list[Any], patch: list[Any]) -> list[Any]:
    key = node.get("x-kubernetes-patch-merge-key")
    if key is None:
        return current + [item for item in patch if item not in current]
    items, _ = resolved(node.get("items", {}))
    if any(isinstance(item, dict) and item.get(_DIRECTIVE) == "replace" for item in patch):
        return [item for item in patch if _DIRECTIVE not in item]
    result = list(current)
    for item in patch:
        place = _place(result, key, item.get(key))
        if item.get(_DIRECTIVE) == "delete":
            if place is not None:
                del result[place]
        elif place is None:
            result.append(_merge_mapping(items, {}, item))
        else:
            result[place] = _merge_mapping(items, result[place], item)
    return result


def _place(items: list[Any], key: str, value: Any) -> int | None:
    return next((i for i, item in enumerate(items) if item.get(key) == value), None)


def _ordered(node: Node, items: list[Any], order: list[Any]) -> list[Any]:
    """Items named in the order first, in that order; the others keep their own after them."""
    key = node.get("x-kubernetes-patch-merge-key")
    identity: Callable[[Any], Any] = (lambda item: item.get(key)) if key else (lambda item: item)
    wanted = [identity(item) for item in order]
    named = [item for item in items if identity(item) in wanted]
    named.sort(key=lambda item: wanted.index(identity(item)))
    return named + [item for item in items if identity(item) not in wanted]
