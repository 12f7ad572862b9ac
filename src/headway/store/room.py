"""Room for a pickle that must not grow beyond all bounds; loaded only where an attempt has failed."""

from io import BytesIO


class TooLargeError(Exception):
    """A value is larger than the room for it; our own, never seen by people."""


class Room(BytesIO):
    """The file that a pickle goes to, with only so much room in it.

    Args:
        most: Bytes, of the pickle and the buffers that stay out of it together.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._left = most

    def take(self, size: int) -> None:
        """Give away so many bytes.

        Raises:
            TooLargeError: There are fewer.
        """
        self._left -= size
        if self._left < 0:
            raise TooLargeError

    def write(self, data: "bytes | memoryview") -> int:  # type: ignore[override]  # all that a pickler writes
        self.take(memoryview(data).nbytes)
        return super().write(data)
