"""``loads`` and ``dumps`` by the scanner and the encoder in C, without the regular expressions around them."""

__all__ = ["dumps", "loads"]

from typing import Any, Tuple, Union

try:
    from _json import encode_basestring, encode_basestring_ascii, make_encoder, make_scanner
except ImportError:  # an interpreter without them has its own way to be quick
    from json import dumps, loads
else:
    _BLANK = " \t\n\r"

    class _Rules:
        """How the scanner makes values: the way ``json.JSONDecoder()`` does."""

        strict = True
        object_hook = None
        object_pairs_hook = None
        parse_float = float
        parse_int = int
        parse_constant = {
            "NaN": float("nan"),
            "Infinity": float("inf"),
            "-Infinity": float("-inf"),
        }.__getitem__

    _scan: Any = make_scanner(_Rules)  # type: ignore[arg-type]

    def loads(text: Union[str, bytes, bytearray]) -> Any:  # type: ignore[misc]
        """The value; ValueError where there is none, or more than one."""
        said = text if isinstance(text, str) else bytes(text).decode()
        said = said.strip(_BLANK)
        try:
            value, end = _scan(said, 0)
        except StopIteration:
            raise ValueError(f"not JSON: {said[:60]!r}") from None
        if end != len(said):
            raise ValueError(f"more than one JSON value: {said[end : end + 60]!r}")
        return value

    def _refuse(value: object) -> None:
        raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")

    def dumps(  # type: ignore[misc]
        value: object, *, ensure_ascii: bool = True, separators: Tuple[str, str] = (", ", ": ")
    ) -> str:
        """The text of a value."""
        between, behind = separators
        quote: Any = encode_basestring_ascii if ensure_ascii else encode_basestring
        encode: Any = make_encoder({}, _refuse, quote, None, behind, between, False, False, True)
        return "".join(encode(value, 0))
