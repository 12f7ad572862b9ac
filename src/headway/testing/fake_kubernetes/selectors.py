"""Label and field selectors, as far as a launcher uses them."""

import re

from headway.testing.fake_kubernetes.state import Manifest

_SET = re.compile(r"^(?P<key>\S+)\s+(?P<operator>in|notin)\s+\((?P<values>[^)]*)\)$")
_COMMA = re.compile(r",(?![^(]*\))")


def matches(obj: Manifest, label_selector: str | None, field_selector: str | None) -> bool:
    """Tell whether an object is selected.

    Args:
        obj: The object.
        label_selector: As in a request; None selects all.
        field_selector: As in a request; None selects all.
    """
    labels = obj["metadata"].get("labels") or {}
    return all(
        _label(labels, term.strip()) for term in _COMMA.split(label_selector or "") if term.strip()
    ) and all(_field(obj, term.strip()) for term in (field_selector or "").split(",") if term.strip())


def _label(labels: dict[str, str], term: str) -> bool:
    if found := _SET.match(term):
        values = {value.strip() for value in found["values"].split(",")}
        inside = labels.get(found["key"]) in values
        return inside if found["operator"] == "in" else not inside
    if "!=" in term:
        key, value = term.split("!=", 1)
        return labels.get(key.strip()) != value.strip()
    if "=" in term:
        key, _, value = term.replace("==", "=").partition("=")
        return labels.get(key.strip()) == value.strip()
    return term[1:].strip() not in labels if term.startswith("!") else term in labels


def _field(obj: Manifest, term: str) -> bool:
    path, operator, value = re.split(r"(!=|==|=)", term, maxsplit=1)
    found: object = obj
    for part in path.split("."):
        found = found.get(part, "") if isinstance(found, dict) else ""
    return (str(found) == value) is (operator != "!=")
