"""Tolerations as people write them, checked by the API server's own rules."""

from collections.abc import Iterable, Mapping

from headway.config.kubernetes_values import check_key, check_label_value
from headway.config.parsing import RefusedError, integer, json_value
from headway.config.podparts import camel_case, plain

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_TOLERATION_KEYS = ("key", "operator", "value", "effect", "tolerationSeconds")
_OPERATORS = ("Exists", "Equal", "Lt", "Gt")


def tolerations(value: object) -> tuple[dict[str, object], ...]:
    """Tolerations: dicts in either spelling, models, JSON, or ``key=value:Effect``, or a list of any."""
    if isinstance(value, str):
        written = value.strip()
        value = json_value(written) if written[:1] in ("[", "{") else written.split(",")
    value = plain(value)
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, Iterable):
        raise RefusedError('a list of tolerations is allowed: dicts, or text like "key=value:NoSchedule"')
    return tuple(_toleration(item) for item in value)


def _toleration(value: object) -> dict[str, object]:
    if isinstance(value, str):
        value = _short_toleration(value.strip())
    if not isinstance(value, Mapping):
        raise RefusedError(
            f"a toleration is a dict, or text like key=value:NoSchedule, and {value!r} is neither"
        )
    found = {camel_case(str(key)): item for key, item in value.items() if item is not None}
    if unknown := sorted(found.keys() - set(_TOLERATION_KEYS)):
        raise RefusedError(f"a toleration has {', '.join(_TOLERATION_KEYS)}, and not {', '.join(unknown)}")
    toleration: dict[str, object] = {key: str(found[key]) for key in _TOLERATION_KEYS[:4] if key in found}
    _check_toleration(toleration)
    if "tolerationSeconds" in found:
        if found.get("effect") != "NoExecute":
            raise RefusedError("tolerationSeconds goes with the effect NoExecute alone")
        # Zero and less mean "evict at once".
        toleration["tolerationSeconds"] = integer(-1)(found["tolerationSeconds"])
    return toleration


def _check_toleration(toleration: Mapping[str, object]) -> None:
    key, operator = str(toleration.get("key", "")), toleration.get("operator", "Equal")
    if operator not in _OPERATORS:
        raise RefusedError(
            f"the operator of a toleration is one of {', '.join(_OPERATORS)}, and not {operator!r}"
        )
    if toleration.get("effect", "") not in ("", *_EFFECTS):
        raise RefusedError(
            f"the effect of a toleration is one of {', '.join(_EFFECTS)}, and not {toleration['effect']!r}"
        )
    if key:
        check_key(key)
    elif operator != "Exists":
        raise RefusedError("a toleration without a key needs the operator Exists")
    value = str(toleration.get("value", ""))
    if operator == "Exists" and value:
        raise RefusedError("a toleration with the operator Exists has no value")
    check_label_value(key, value)


def _short_toleration(written: str) -> dict[str, object]:
    """``key=value:Effect``, ``key:Effect`` (any value) or ``key=value`` (any effect)."""
    taint, colon, effect = written.partition(":")
    key, equals, item = taint.partition("=")
    if not key:
        raise RefusedError(f"a toleration in text reads key=value:NoSchedule, and {written!r} does not")
    toleration: dict[str, object] = {"key": key.strip(), "operator": "Equal" if equals else "Exists"}
    if equals:
        toleration["value"] = item.strip()
    if colon:
        toleration["effect"] = effect.strip()
    return toleration
