"""The datastores this process reads, opened once for each root.

Objects of the client hold a root and not a store: so they can be pickled, and no connection
crosses a fork with them.
"""

import os
from typing import Dict, Tuple

from headway.store.base import ObjectStore
from headway.store.configured import tell_address
from headway.store.folder import FolderStore
from headway.store.open import open_store

#: By process as well, for after a fork the parent's connections are not the child's.
_opened: Dict[Tuple[int, str], ObjectStore] = {}


def store_at(root: str) -> ObjectStore:
    """The store behind a root.

    Raises:
        StoreConfigurationError: The root is not understood or its kind is not supported.
    """
    key = (os.getpid(), root)
    if key not in _opened:
        if "://" in root:
            tell_address()
        # A step's own process shares one with the user's code: it must stay small and forkable.
        _opened[key] = open_store(root, prefer_native="HEADWAY_IN_TASK" not in os.environ)
    return _opened[key]


def keep_store(store: ObjectStore) -> None:
    """Read from this store wherever its root is named, in this process."""
    _opened[os.getpid(), store.url] = store


def is_near(store: ObjectStore) -> bool:
    """Whether a read costs so little that threads and reading ahead would only slow it down."""
    return isinstance(store, FolderStore)
