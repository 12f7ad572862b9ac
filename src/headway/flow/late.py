"""``--with NAME[:key=value,…]``: decorators attached from the command line."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from headway.errors import UsageError
from headway.flow.catalogue import STEP_DECORATORS, DecoratorKind, check_spec, kind_of
from headway.flow.decorators import DecoratorSpec
from headway.flow.values import guess


def parse_with(text: str, source: str = "") -> DecoratorSpec:
    """The decorator that a ``--with`` names, or a variable that stands for it.

    A value is JSON, a number or text. JSON may hold commas and colons; text ends at the next comma,
    but goes on where it is itself a list of pairs (``node_selector=disk=ssd,zone=a``).

    Args:
        text: The text.
        source: Where it is said, beginning with one of :data:`~headway.flow.decorators.LATE`; by default
            in a ``--with``.

    Raises:
        UsageError: There is no such decorator or attribute, or a value is refused.
    """
    # What finds them is loaded for those who name one of their own.
    spec = parse_decorator(text, source or f"--with {text}")
    if spec.user is None:
        check_spec(spec)
    else:
        from headway.flow.user_check import check_user_spec

        check_user_spec(spec, "")
    return spec


def parse_decorator(
    text: str,
    source: str,
    kinds: Mapping[str, DecoratorKind] = STEP_DECORATORS,
    bases: tuple[Any, ...] = (),
) -> DecoratorSpec:
    """The decorator that a text names, as ``--with`` takes it, its values not checked.

    Args:
        text: The text.
        source: Where it is said: the option, or ``file:line``.
        kinds: The decorators of Headway's that there are.
        bases: What decorators derive from that people wrote; by default those of steps.

    Raises:
        UsageError: There is no such decorator or attribute, or a value is refused.
    """
    name, colon, rest = text.strip().partition(":")
    spec = DecoratorSpec(name.strip(), {}, source)
    if spec.name not in kinds:
        return _user_decorator(spec, rest, kinds, bases)
    kind = kind_of(spec, kinds)
    attributes: dict[str, object] = {}
    for key, written, value in pairs(rest, source, set(kind.attributes)) if colon else ():
        if key in attributes:
            raise UsageError(f"{source}: '{key}' is given twice.", "Give it once.")
        attribute = kind.attributes.get(key)
        # What looks like a number may have been meant as text, for example a namespace called 2024.
        as_text = attribute is not None and attribute.refusal(value) and not attribute.refusal(written)
        attributes[key] = written if as_text else value
    return spec._replace(attributes=attributes)


def _user_decorator(
    spec: DecoratorSpec, rest: str, kinds: Mapping[str, DecoratorKind], bases: tuple[Any, ...]
) -> DecoratorSpec:
    """A decorator that somebody wrote, with the arguments that follow its name."""
    # What finds it reads signatures; most command lines name none.
    from headway.flow.find_decorator import find_decorator
    from headway.flow.user_decorators import StepMutator, UserStepDecorator, name_of

    kind = find_decorator(spec, bases or (UserStepDecorator, StepMutator))
    if kind is None:
        kind_of(spec, kinds)
    found: dict[str, object] = {}
    for key, _, value in pairs(rest, spec.source, set()) if rest else ():
        if key in found:
            raise UsageError(f"{spec.source}: '{key}' is given twice.", "Give it once.")
        found[key] = value
    return spec._replace(name=name_of(kind), attributes=found, user=kind)


def pairs(text: str, source: str, known: set[str]) -> Iterator[tuple[str, str, object]]:
    """Each key of ``key=value,…``, its value as written, and its value as understood.

    Args:
        text: The pairs.
        source: What they were read from, for words.
        known: The keys that there are: a comma before one of them ends a value.

    Raises:
        UsageError: Something is not a pair, or JSON that is none.
    """
    position = 0
    while position < len(text):
        key, equals, _ = text[position:].partition("=")
        if not equals or "," in key:
            part = key.partition(",")[0]
            raise UsageError(
                f"{source}: '{part}' is not of the form key=value.",
                "Separate pairs by commas; write a value that holds commas as JSON.",
            )
        start = position + len(key) + 1
        end, value = _value(text, start, source, known)
        yield key.strip(), text[start:end].strip(), value
        position = end + 1


def _value(text: str, start: int, source: str, known: set[str]) -> tuple[int, object]:
    """Where the value that begins here ends, and what it is."""
    while text[start : start + 1] == " ":
        start += 1
    if text[start : start + 1] in ("{", "[", '"'):
        try:
            value, end = json.JSONDecoder().raw_decode(text, start)
        except json.JSONDecodeError as error:
            raise UsageError(
                f"{source}: the value {text[start:]!r} is not valid JSON: {error.msg.lower()} "
                f"at its character {error.pos - start + 1}.",
                'Quote it for the shell with single quotes: --with \'kubernetes:labels={"team": "ml"}\'.',
            ) from error
        rest = text[end:]
        if rest.strip() and not rest.lstrip().startswith(","):
            raise UsageError(
                f"{source}: unexpected {rest.strip()!r} after {text[start:end]}.", "Put a comma before it."
            )
        return end + len(rest) - len(rest.lstrip()), value
    end = _text_end(text, start, known)
    return end, guess(text[start:end].strip())


def _text_end(text: str, start: int, known: set[str]) -> int:
    """The comma that ends a plain value; one before a pair of the value's own does not."""
    end = text.find(",", start)
    while end != -1 and "=" in text[start:end]:
        following = text.find(",", end + 1)
        key, equals, _ = text[end + 1 : None if following == -1 else following].partition("=")
        if not equals or key.strip() in known:
            break
        end = following
    return len(text) if end == -1 else end
