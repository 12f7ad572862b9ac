"""What credentials are, and what they are traded for."""

from typing import Any, Dict, NamedTuple, Optional


class Token(NamedTuple):
    """A bearer's token and its end (seconds since the epoch); "" for a server that wants none."""

    value: str
    expires: Optional[float] = None

    def __repr__(self) -> str:
        return f"Token({self.value[:4]}…)"


class Named(NamedTuple):
    """Credentials as they stand in a file.

    Attributes:
        fields: The file's content.
        name: What they are called in messages.
    """

    fields: Dict[str, Any]
    name: str
