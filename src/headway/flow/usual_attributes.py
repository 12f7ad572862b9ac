"""What a decorator's attributes are where it says nothing, as mutators are shown them; the launcher's alone."""

from collections.abc import Mapping
from copy import copy
from typing import Any

from headway.flow.catalogue import STEP_DECORATORS
from headway.flow.decorators import DecoratorSpec
from headway.flow.flow_catalogue import FLOW_DECORATORS

#: Where Metaflow has text: code that was written for it makes numbers of these.
_AS_TEXT: Mapping[str, Mapping[str, Any]] = {
    "kubernetes": {"cpu": "1", "memory": "4096", "disk": "10240"},
    "resources": {"cpu": "1", "memory": "4096", "disk": None},
    "retry": {"times": "3", "minutes_between_retries": "2"},
}


def usual_attributes(spec: DecoratorSpec) -> dict[str, Any]:
    """The attributes that a decorator of Headway's does not name, with what holds for each."""
    kind = STEP_DECORATORS.get(spec.name) or FLOW_DECORATORS.get(spec.name)
    if kind is None or spec.user is not None:
        return {}
    written = {kind.attributes[name].name for name in spec.attributes if name in kind.attributes}
    text = _AS_TEXT.get(spec.name, {})
    return {
        each.name: copy(text.get(each.name, each.default)) for each in kind.load() if each.name not in written
    }


def without_usual(spec: DecoratorSpec) -> DecoratorSpec:
    """The decorator without what only repeats what holds anyway, where it was given every attribute.

    Whoever takes a decorator from a step and puts it back changed gives all that was shown of it. What nobody
    wrote must not become something that was: what is written goes before what is configured.
    """
    usual = usual_attributes(spec._replace(attributes={}))
    if not usual or not usual.keys() <= spec.attributes.keys():
        return spec
    kept = {
        name: value
        for name, value in spec.attributes.items()
        if name not in usual or type(value) is not type(usual[name]) or value != usual[name]
    }
    return spec._replace(attributes=kept)
