"""One line of a watch as the server sends it, decoded."""

from dataclasses import dataclass
from typing import Generic, TypeVar, cast

import msgspec

from headway.executors.kubernetes.api.diagnosis import error_from_status
from headway.executors.kubernetes.api.errors import ApiError, Target
from headway.executors.kubernetes.api.kinds import Kind
from headway.executors.kubernetes.api.types import KubernetesObject, Status, Wire

T = TypeVar("T", bound=KubernetesObject)


@dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """What a line says.

    Args:
        type: ADDED, MODIFIED, DELETED or BOOKMARK.
        object: The object; of a bookmark only its version means anything.
    """

    type: str
    object: T


class _Line(Wire, Generic[T], frozen=True, gc=False):
    type: str
    object: T


class _ErrorLine(Wire, frozen=True, gc=False):
    type: str
    object: Status


class LineDecoder(Generic[T]):
    """Decodes the lines of one watch.

    Args:
        kind: What is watched.
        target: The same in words.
        source: Where the access to the server was configured, for errors.
    """

    def __init__(self, kind: Kind[T], target: Target, source: str) -> None:
        self._target = target
        self._source = source
        self._decoder = msgspec.json.Decoder(cast("type[_Line[T]]", _Line[kind.type]))  # type: ignore[name-defined]

    def decode(self, line: bytes) -> Change[T]:
        """Decode one line.

        Args:
            line: The line.

        Raises:
            ApiError: What the server says went wrong (`Gone` if it forgot our version), or that the line
                makes no sense.
        """
        try:
            decoded = self._decoder.decode(line)
        except msgspec.MsgspecError as error:
            # An ERROR line holds a Status in place of the object, which does not decode as one.
            raise self._error(line) from error
        if decoded.type == "ERROR":
            raise self._error(line)
        return Change(decoded.type, decoded.object)

    def _error(self, line: bytes) -> ApiError:
        try:
            decoded = msgspec.json.decode(line, type=_ErrorLine)
        except msgspec.MsgspecError as error:
            return ApiError(f"The server sent a line that makes no sense to {self._target}: {error}.")
        return error_from_status(decoded.object, self._target, source=self._source)
