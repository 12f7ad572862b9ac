"""The inbox of a warm pod: numbered orders that are only ever created, so that no task is given to a pod that has left.

Number n is created either by the launcher, as an order, or as the farewell: by the pod once it has
been idle too long, or by the launcher when the pod is to go. Exactly one of them succeeds.
"""

from typing import Iterator, NamedTuple, Optional

from headway.errors import KeyExistsError, KeyNotFoundError
from headway.store.base import ObjectStore
from headway.store.batch import Batch

#: What stands in a farewell's place of an order.
FAREWELL = b'{"farewell":true}'


class Letter(NamedTuple):
    """What one number of an inbox holds.

    Attributes:
        order: Attempts to make, one after the other; None for the farewell.
    """

    order: Optional[Batch]


class Inbox:
    """One worker's inbox, written or read from its first number on.

    Args:
        store: The datastore.
        folder: Its folder, as :func:`headway.store.layout.inbox` says it.
        number: The number that comes next.
    """

    def __init__(self, store: ObjectStore, folder: str, number: int = 0) -> None:
        self._store = store
        self._folder = folder
        self.number = number

    def look(self) -> Optional[Letter]:
        """The next letter, None where there is none yet."""
        try:
            data = self._store.get(self._key())
        except KeyNotFoundError:
            return None
        self.number += 1
        return Letter(None if data == FAREWELL else Batch.decode(data))

    def write(self, data: bytes) -> bool:
        """Create the next letter; False where the other side was first.

        A write whose reply was lost finds itself in place when it is repeated.
        """
        key = self._key()
        try:
            self._store.put_if_absent(key, data)
        except KeyExistsError:
            if self._store.get(key) != data:
                return False
        self.number += 1
        return True

    def leave(self) -> bool:
        """Say farewell; False where an order came first, which is to be read now."""
        return self.write(FAREWELL)

    def _key(self) -> str:
        return f"{self._folder}{self.number:08d}.json"


def orders(store: ObjectStore, folder: str) -> Iterator[Batch]:
    """Every order that a worker was given, in order: for who takes a run over."""
    inbox = Inbox(store, folder)
    while True:
        letter = inbox.look()
        if letter is None:
            return
        if letter.order is not None:
            yield letter.order
