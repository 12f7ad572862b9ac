"""Objects too large to be sent twice: resumable uploads, which go on from where a failed request ended."""

from contextlib import suppress
from typing import List, Mapping, Sequence

from headway.errors import StoreError, StoreUnavailableError
from headway.store.gs.session import UPLOAD, Session
from headway.store.net.answers import Answer

_KIND = (UPLOAD, "resumable")

#: So many requests in a row that brought nothing, and the upload is given up.
_MOST_FAILURES = 6

_DONE = (200, 201)
#: What the protocol says where more is to come; elsewhere it would be a redirect.
_MORE = 308
#: The upload is unknown to the server.
_GONE = (404, 410)
#: What the protocol says of an upload that was given up.
_CANCELLED = 499


class Upload:
    """A resumable upload: all of the content in one request, and after a failure what is missing of it.

    Args:
        session: Of the bucket.
        key: The full key.
        views: The content; it is not copied.
    """

    def __init__(self, session: Session, key: str, views: Sequence[memoryview]) -> None:
        self._session = session
        self._once = session.once()
        self._key = key
        self._views = views
        self._total = sum(view.nbytes for view in views)
        self._id = ""

    def run(self) -> None:
        """Write the object.

        Raises:
            StoreError: It cannot be written; nothing of it is left.
        """
        length = {"x-upload-content-length": str(self._total)}
        started = self._session.call("POST", self._key, [_KIND], headers=length, doing="writing")
        self._id = started.headers.get("location", "").partition("upload_id=")[2].partition("&")[0]
        if not self._id:
            raise StoreError(f"{self._session.place.where} gives no address for the upload of {self._key}")
        try:
            self._send()
        except BaseException:
            with suppress(StoreError):  # what made the upload fail is what counts
                self._call(self._once, "DELETE", {})
            raise

    def _send(self) -> None:
        done = failures = 0
        while True:
            answer = self._try(done, failures)
            if answer.status in _DONE:
                return
            if answer.status in _GONE:
                raise StoreUnavailableError(
                    f"the upload of {self._key} is unknown to the server", "Try again."
                )
            kept = _kept(answer)
            failures = 0 if kept > done else failures + 1
            done = kept

    def _try(self, done: int, failures: int) -> Answer:
        """Send what is missing; where that fails, what the server has of it by now."""
        if failures:
            self._session.pause(failures)
        part = {"content-range": f"bytes {done}-{self._total - 1}/{self._total}"}
        try:
            return self._call(self._once, "PUT", part, _behind(self._views, done))
        except StoreUnavailableError:
            if failures >= _MOST_FAILURES - 1:
                raise
        # Perhaps the half of it arrived: the server is asked, and not sent the same again.
        return self._call(self._session, "PUT", {"content-range": f"bytes */{self._total}"})

    def _call(
        self, session: Session, method: str, headers: Mapping[str, str], body: Sequence[memoryview] = ()
    ) -> Answer:
        accept = (*_DONE, 204, _MORE, *_GONE, _CANCELLED)
        query = [_KIND, ("upload_id", self._id)]
        return session.call(method, self._key, query, headers, body, accept, "writing")


def _kept(answer: Answer) -> int:
    """How many bytes the server says that it has: ``bytes=0-41`` are 42."""
    last = answer.headers.get("range", "").rpartition("-")[2]
    return int(last) + 1 if last.isdecimal() else 0


def _behind(views: Sequence[memoryview], start: int) -> List[memoryview]:
    """What stands behind so many bytes."""
    rest = []
    for view in views:
        if start < view.nbytes:
            rest.append(view[start:])
        start = max(0, start - view.nbytes)
    return rest
