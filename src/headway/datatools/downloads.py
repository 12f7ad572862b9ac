"""Objects into files: the beginning of each, some at a time, then the rest of the large ones in ranges.

So never more than a few hundred kilobytes a thread are in memory, however large and many they are.
"""

import os
import re
from functools import partial
from typing import Callable, List, NamedTuple, Optional, Sequence

from headway.datatools.buckets import Buckets
from headway.datatools.errors import S3InvalidRangeError, S3NotFoundError, S3OperationError, said_of
from headway.datatools.objects import Facts, facts_in
from headway.datatools.scope import Place
from headway.datatools.values import RangeInfo
from headway.store.net.answers import Answer
from headway.store.net.files import FileRange
from headway.store.net.transfers import PART_SIZE
from headway.store.parallel import run_parallel

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class Wanted(NamedTuple):
    """What is to be fetched.

    Attributes:
        place: The object.
        start: The first byte, None for the beginning.
        length: How many bytes, None for all; negative: so many at the object's end.
    """

    place: Place
    start: Optional[int] = None
    length: Optional[int] = None

    @property
    def is_whole(self) -> bool:
        """Whether all of the object is wanted, as it is without a range."""
        return self.start is None and self.length is None


class Fetched(NamedTuple):
    """A file that holds what was wanted, and what its object's headers say."""

    path: str
    facts: Facts


class _Begun(NamedTuple):
    fetched: Fetched
    rest: Sequence[Callable[[], None]] = ()


def fetch(
    buckets: Buckets, wanted: Sequence[Wanted], path_for: Callable[[Place], str], *, allow_missing: bool
) -> List[Optional[Fetched]]:
    """Download all of this, in this order.

    Args:
        buckets: Where the objects are.
        wanted: What to fetch.
        path_for: Gives a path for a new file; called in the caller's thread.
        allow_missing: None stands for an object that is not there, which is an error otherwise.

    Raises:
        S3ClientError: One of them could not be fetched; the first that fails says why.
    """
    calls = [partial(_begin, buckets, one, path_for(one.place), allow_missing) for one in wanted]
    begun = run_parallel(calls, buckets.threads)
    run_parallel([call for one in begun if one for call in one.rest], buckets.threads)
    return [one.fetched if one else None for one in begun]


def _begin(buckets: Buckets, wanted: Wanted, path: str, allow_missing: bool) -> Optional[_Begun]:
    url = wanted.place.url
    try:
        with said_of(url):
            return _first(buckets, wanted, path)
    except S3NotFoundError:
        if allow_missing:
            return None
        raise


def _first(buckets: Buckets, wanted: Wanted, path: str) -> _Begun:
    session = buckets.session(wanted.place.bucket)
    headers = {"range": _first_range(buckets, wanted)}
    # Only a whole object that is empty has no first byte without its being an error.
    accept = (200, 206, 416) if wanted.is_whole else (200, 206)
    answer = session.call("GET", wanted.place.key, headers=headers, accept=accept, into=FileRange(path))
    if answer.status == 416:
        open(path, "wb").close()
        known = buckets.head(wanted.place)
        return _Begun(
            Fetched(path, (known.facts if known else Facts())._replace(range_info=RangeInfo(0, 0, 0)))
        )
    facts = facts_in(answer.headers)
    if answer.status == 200:
        if not wanted.is_whole:
            raise S3OperationError(f"{wanted.place.url}: the server does not know ranges.")
        size = os.stat(path).st_size
        return _Begun(Fetched(path, facts._replace(range_info=RangeInfo(size, 0, size))))
    return _rest_after(buckets, wanted, path, answer, facts)


def _first_range(buckets: Buckets, wanted: Wanted) -> str:
    """The range of the first request: all that is wanted, or the first part of it."""
    start, length = wanted.start or 0, wanted.length
    if length is not None and length < 0:
        if -length <= PART_SIZE:
            return f"bytes={length}"
        known = buckets.head(wanted.place)
        start, length = max(0, known.size + length) if known else 0, None
    if start < 0 or length == 0:
        raise S3InvalidRangeError(f"{wanted.place.url}: offset={start}, length={length} is no range.")
    return f"bytes={start}-{start + min(PART_SIZE, length or PART_SIZE) - 1}"


def _rest_after(buckets: Buckets, wanted: Wanted, path: str, answer: Answer, facts: Facts) -> _Begun:
    """What is left to fetch after the first part has come."""
    found = _CONTENT_RANGE.match(answer.headers.get("content-range", ""))
    if found is None:
        raise S3OperationError(f"{wanted.place.url}: the server does not say which range it sent.")
    first, last, total = (int(number) for number in found.groups())
    length = wanted.length
    end = min(first + length, total) if length is not None and length > 0 else total
    condition = {"if-match": answer.headers["etag"]} if answer.headers.get("etag") else {}

    def fetch_range(start: int) -> None:
        stop = min(start + PART_SIZE, end)
        headers = {"range": f"bytes={start}-{stop - 1}", **condition}
        into = FileRange(path, start - first)
        with said_of(wanted.place.url):
            session = buckets.session(wanted.place.bucket)
            got = session.call("GET", wanted.place.key, headers=headers, accept=(206, 412), into=into)
        if got.status == 412:
            raise S3OperationError(f"{wanted.place.url} was overwritten while it was read.", "Try again.")

    rest = [partial(fetch_range, start) for start in range(last + 1, end, PART_SIZE)]
    return _Begun(Fetched(path, facts._replace(range_info=RangeInfo(total, first, end - first))), rest)
