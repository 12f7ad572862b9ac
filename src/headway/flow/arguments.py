"""Arguments of decorators as text that a task can be given: JSON where that tells all, else a pickle."""

import base64
import json
import pickle
from typing import Any, Mapping, Sequence, Tuple

_PICKLE = "pickle:"


def encode_arguments(positional: Sequence[Any], named: Mapping[str, Any]) -> str:
    """The arguments as text.

    Raises:
        Exception: They can be neither written as JSON nor pickled; whatever pickle raises.
    """
    given = [list(positional), dict(named)]
    try:
        text = json.dumps(given)
        if _same(json.loads(text), given):
            return text
    except (TypeError, ValueError):
        pass
    return _PICKLE + base64.b64encode(pickle.dumps(given, protocol=4)).decode()


def decode_arguments(text: str) -> Tuple[Tuple[Any, ...], Mapping[str, Any]]:
    """The inverse of :func:`encode_arguments`."""
    if text.startswith(_PICKLE):
        positional, named = pickle.loads(base64.b64decode(text[len(_PICKLE) :]))
    else:
        positional, named = json.loads(text)
    return tuple(positional), named


def _same(one: Any, other: Any) -> bool:
    """Whether these are equal and of the same types throughout."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
