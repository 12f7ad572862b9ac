"""The inbox of a warm pod: numbered orders that are only ever created, so that no task is given to a pod that has left.

Number n is created either by the launcher, as an order, or as the farewell: by the pod once it has
been idle too long, or by the launcher when the pod is to go. Exactly one of them succeeds.
"""

import json
from typing import NamedTuple, Optional, Sequence, Tuple

from headway.errors import KeyExistsError, KeyNotFoundError
from headway.store.base import ObjectStore
from headway.store.batch import Batch
from headway.store.records import encode

#: What stands in a farewell's place of an order.
FAREWELL = b'{"farewell":true}'


class Letter(NamedTuple):
    """What one number of an inbox holds.

    Attributes:
        order: Attempts to make, one after the other: of several batches where each holds few; () for the farewell.
    """

    order: Tuple[Batch, ...]


def encode_order(batches: Sequence[Batch]) -> bytes:
    """Batches as one order: the first as it is, of each other one only what it says otherwise.

    From its second step on a foreach's tasks are batches of one, which differ in little.
    """
    first, *others = [batch.to_json() for batch in batches]
    return encode([first, *({name: raw[name] for name in raw if raw[name] != first[name]} for raw in others)])


def decode_order(data: bytes) -> Tuple[Batch, ...]:
    """The batches of an order."""
    first, *others = json.loads(bytes(data).decode())
    return tuple(Batch.from_json({**first, **raw}) for raw in ({}, *others))


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
        return Letter(() if data == FAREWELL else decode_order(data))

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
