"""The environment of a container as people write it: a dict of text, or Kubernetes' own list."""

import re
from collections.abc import Mapping

from headway.config.parsing import RefusedError, json_value, mapping, plain_text
from headway.config.podparts import api_object, plain

_NAME = r"[-._a-zA-Z][-._a-zA-Z0-9]*"


def environment(value: object) -> dict[str, object]:
    """Names to text, or to a ``valueFrom`` object; from a dict, a list of ``{name, value}``, or text."""
    if isinstance(value, str) and value.strip().startswith("["):
        value = json_value(value.strip())
    value = plain(value)
    if isinstance(value, (list, tuple)):
        return dict(_entry(item) for item in value)
    found = {name: plain_text(name, item) for name, item in mapping(value).items()}
    for name in found:
        _check(name)
    return dict(found)


def _entry(value: object) -> tuple[str, object]:
    entry = api_object(value)
    name, source = entry.get("name"), entry.get("valueFrom")
    if not isinstance(name, str):
        raise RefusedError("each variable needs a name, and one has none")
    _check(name)
    if isinstance(source, Mapping):
        return name, source
    return name, plain_text(name, entry.get("value", ""))


def _check(name: str) -> None:
    if not re.fullmatch(_NAME, name):
        raise RefusedError(
            f"{name!r} cannot name an environment variable: letters, digits, '_', '-' and '.' are allowed"
        )
