"""Bodies that go straight into a file, a quarter of a megabyte at a time."""

import os
from typing import Iterator


class FileWriteError(Exception):
    """What was received could not be written. No OSError, for the connection is not to blame.

    Args:
        cause: Why.
        path: Of the file.
    """

    def __init__(self, cause: OSError, path: str) -> None:
        super().__init__(f"{path} cannot be written: {cause}")
        self.cause = cause
        self.path = path


class FileRange:
    """A place in a file that a body is written to; the file is made when the first body comes.

    Args:
        path: Of the file.
        offset: Where the body begins in it.
    """

    def __init__(self, path: str, offset: int = 0) -> None:
        self.path = path
        self.offset = offset

    def take(self, pieces: Iterator[memoryview]) -> None:
        """Write the whole body; a second one, of another try, takes the place of the first.

        Raises:
            FileWriteError: The file cannot be written.
        """
        # Not truncated where it is not the beginning: other ranges are written at the same time.
        flags = os.O_WRONLY | os.O_CREAT | (0 if self.offset else os.O_TRUNC)
        try:
            fd = os.open(self.path, flags, 0o600)
        except OSError as error:
            raise FileWriteError(error, self.path) from error
        try:
            place = self.offset
            for piece in pieces:
                self._write(fd, piece, place)
                place += len(piece)
        finally:
            os.close(fd)

    def _write(self, fd: int, data: memoryview, place: int) -> None:
        try:
            while data:
                count = os.pwrite(fd, data, place)
                data, place = data[count:], place + count
        except OSError as error:
            raise FileWriteError(error, self.path) from error
