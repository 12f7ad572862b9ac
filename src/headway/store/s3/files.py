"""Bodies that go straight into a file, a quarter of a megabyte at a time."""

import os
from http.client import HTTPException, HTTPResponse

_CHUNK = 256 << 10


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

    def take(self, response: HTTPResponse) -> None:
        """Write the whole body; a second one, of another try, takes the place of the first.

        Raises:
            FileWriteError: The file cannot be written.
            HTTPException: The body ended too soon.
        """
        buffer = memoryview(bytearray(min(_CHUNK, response.length or _CHUNK)))
        # Not truncated where it is not the beginning: other ranges are written at the same time.
        flags = os.O_WRONLY | os.O_CREAT | (0 if self.offset else os.O_TRUNC)
        try:
            fd = os.open(self.path, flags, 0o600)
        except OSError as error:
            raise FileWriteError(error, self.path) from error
        try:
            place = self.offset
            count = response.readinto(buffer)
            while count:
                self._write(fd, buffer[:count], place)
                place += count
                count = response.readinto(buffer)
        finally:
            os.close(fd)
        if response.length:  # what the server promised and did not send
            raise HTTPException(f"the answer ended {response.length} bytes too soon")

    def _write(self, fd: int, data: memoryview, place: int) -> None:
        try:
            while data:
                count = os.pwrite(fd, data, place)
                data, place = data[count:], place + count
        except OSError as error:
            raise FileWriteError(error, self.path) from error
