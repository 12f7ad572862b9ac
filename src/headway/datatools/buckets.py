"""The calls that reading and writing have in common: a session for each bucket, HEAD, and listings."""

import os
from typing import Callable, Dict, Iterator, NamedTuple, Optional

from headway.datatools.errors import S3NotFoundError, said_of
from headway.datatools.objects import Facts, facts_in
from headway.datatools.roots import retry_policy, worker_count
from headway.datatools.scope import Place
from headway.store.configured import tell_address
from headway.store.s3.answers import parse_page
from headway.store.s3.endpoints import address_from_environment
from headway.store.s3.session import Session

#: Objects at a time where S3_WORKER_COUNT says nothing; as many connections are kept.
THREADS = 16


class Known(NamedTuple):
    """What HEAD tells of an object: its size in bytes, and what its headers say."""

    size: int
    facts: Facts


class Listed(NamedTuple):
    """One entry of a listing; what is no object but the beginning of keys has no size."""

    key: str
    size: Optional[int]


class Buckets:
    """Opens a session for each bucket when it is first asked for one; safe between threads.

    Args:
        connect: Opens the session of a bucket; by default as the environment says.

    Attributes:
        threads: How many objects are transferred at a time.
    """

    def __init__(self, connect: Optional[Callable[[str], Session]] = None) -> None:
        self._connect = connect or _connect
        self._sessions: Dict[str, Session] = {}
        self.threads = worker_count() or THREADS

    def session(self, bucket: str) -> Session:
        """The session of a bucket.

        Raises:
            StoreConfigurationError: The environment names no server that there can be.
        """
        if bucket not in self._sessions:
            # Two threads that come at once make one too many, which serves as well as the other.
            self._sessions.setdefault(bucket, self._connect(bucket))
        return self._sessions[bucket]

    def head(self, place: Place) -> Optional[Known]:
        """What is known of an object, None where there is none.

        Raises:
            S3ClientError: It cannot be told.
        """
        with said_of(place.url):
            answer = self.session(place.bucket).call("HEAD", place.key, accept=(200, 404))
        if answer.status == 404:
            return None
        return Known(int(answer.headers.get("content-length", 0)), facts_in(answer.headers))

    def entries(self, place: Place, *, recursive: bool) -> Iterator[Listed]:
        """What stands under a key, in the server's order.

        Args:
            place: Where to look; the key is a mere beginning of keys, a slash at its end means something.
            recursive: Every object, and not only those of the next level.

        Raises:
            S3NotFoundError: There is no such bucket.
            S3ClientError: It cannot be listed.
        """
        # Encoded, as people's keys may hold characters that no XML can.
        query = [("list-type", "2"), ("prefix", place.key), ("encoding-type", "url")]
        if not recursive:
            query.append(("delimiter", "/"))
        token: Optional[str] = None
        while True:
            more = [("continuation-token", token)] if token else []
            with said_of(place.url):
                answer = self.session(place.bucket).call("GET", query=[*query, *more], doing="listing")
            page = parse_page(answer.body)
            for key, size in page.objects:
                yield Listed(key, size)
            for folder in page.folders:
                yield Listed(folder, None)
            token = page.token
            if not token:
                return


def missing(url: str) -> S3NotFoundError:
    """The error for an object that is not there."""
    return S3NotFoundError(f"There is no object at {url}.")


def _connect(bucket: str) -> Session:
    tell_address()
    return Session(address_from_environment(bucket, os.environ), policy=retry_policy())
