"""The patch formats the fake server understands."""

import copy
from typing import Any

from headway.testing.fake_kubernetes.state import Manifest


def merged(target: Any, patch: Any) -> Any:
    """Apply a JSON merge patch (RFC 7386); it stands in for strategic merge and apply too."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def edited(target: Manifest, operations: list[Manifest]) -> Manifest:
    """Apply a JSON patch (RFC 6902): add, replace, remove and test.

    Raises:
        LookupError: If a path does not exist or a test fails.
    """
    result = copy.deepcopy(target)
    for operation in operations:
        *path, last = [
            part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]
        ]
        place: Any = result
        for part in path:
            place = place[int(part)] if isinstance(place, list) else place[part]
        key: Any = last
        if isinstance(place, list):
            key = len(place) if last == "-" else int(last)
        if operation["op"] == "test":
            if place[key] != operation["value"]:
                raise LookupError(f"the test of {operation['path']} failed")
        elif operation["op"] == "remove":
            del place[key]
        elif isinstance(place, list) and operation["op"] == "add":
            place.insert(key, operation["value"])
        else:
            place[key] = operation["value"]
    return result
