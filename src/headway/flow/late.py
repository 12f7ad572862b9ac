"""``--with NAME[:key=value,…]``: decorators attached from the command line."""

import json
from collections.abc import Iterator

from headway.errors import UsageError
from headway.flow.catalogue import check_spec, kind_of
from headway.flow.decorators import DecoratorSpec
from headway.flow.values import guess


def parse_with(text: str) -> DecoratorSpec:
    """The decorator that a ``--with`` names.

    A value is JSON, a number or text. JSON may hold commas and colons; text ends at the next comma,
    but goes on where it is itself a list of pairs (``node_selector=disk=ssd,zone=a``).

    Raises:
        UsageError: There is no such decorator or attribute, or a value is refused.
    """
    source = f"--with {text}"
    name, colon, rest = text.strip().partition(":")
    spec = DecoratorSpec(name.strip(), {}, source)
    kind = kind_of(spec)
    attributes: dict[str, object] = {}
    for key, written, value in pairs(rest, source, set(kind.attributes)) if colon else ():
        if key in attributes:
            raise UsageError(f"{source}: '{key}' is given twice.", "Give it once.")
        attribute = kind.attributes.get(key)
        # What looks like a number may have been meant as text, for example a namespace called 2024.
        as_text = attribute is not None and attribute.refusal(value) and not attribute.refusal(written)
        attributes[key] = written if as_text else value
    spec = spec._replace(attributes=attributes)
    check_spec(spec)
    return spec


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
