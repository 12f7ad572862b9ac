"""Cut a stream into lines, in time linear in its length however long a line is."""

from typing import Protocol


class ByteSource(Protocol):
    """Something to read from."""

    async def read(self) -> bytes:
        """Return the bytes that are there, waiting for some; empty at the end."""
        ...


class LineReader:
    """The lines of a stream, as many at a time as have come.

    Args:
        source: The stream.
    """

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        # Pieces of the line that has not ended yet; joined once, when it ends.
        self._pieces: list[bytes] = []

    async def read(self) -> list[bytes]:
        """Return the next lines, without their ends; at least one, or none at the end of the stream."""
        while chunk := await self._source.read():
            first, *rest = chunk.split(b"\n")
            self._pieces.append(first)
            if rest:
                line = b"".join(self._pieces)
                self._pieces = [rest.pop()]
                return [line, *rest]
        last = b"".join(self._pieces)
        self._pieces = []
        return [last] if last else []
