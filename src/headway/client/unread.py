"""Runs whose datastore cannot be read: who asks for one is told which it is; a list of runs goes on without."""

import os
import sys
from typing import Callable, Dict, TypeVar

from headway.errors import KeyNotFoundError, StoreError

T = TypeVar("T")

#: Frames of this package are not where a person listed runs.
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def read_of(run: str, root: str, read: Callable[[], T]) -> T:
    """Read something of a run.

    Args:
        run: The run's path, for words.
        root: The datastore that holds it, likewise.
        read: Reads it.

    Raises:
        KeyNotFoundError: What ``read`` raised: the datastore answered.
        StoreError: It did not; the words name the run and the datastore.
    """
    try:
        return read()
    except KeyNotFoundError:
        raise
    except StoreError as error:
        told = type(error)(f"run {run} is in {root}, which cannot be read: {error.message}", error.hint)
        told.status, told.code = error.status, error.code
        raise told from error


class Unread:
    """The datastores that could not be read while runs were listed.

    Each is asked once and told of once: where a server does not answer, a list of many runs of it would wait
    for as many time limits.
    """

    def __init__(self) -> None:
        #: By root, the run with which that was found out.
        self._first: Dict[str, str] = {}

    def tags_of(self, run: str, root: str, read: Callable[[], T], begun_with: T) -> T:
        """The tags that a run has from people; where they cannot be read, those that it began with.

        Args:
            run: The run's path.
            root: The datastore that holds it.
            read: Reads them.
            begun_with: What the list knows by itself.
        """
        if root in self._first:
            return begun_with
        try:
            return read()
        except StoreError as error:
            # Of several threads that find it out at the same time one tells.
            if self._first.setdefault(root, run) == run:
                _warn(error)
            return begun_with


def _warn(error: StoreError) -> None:
    import warnings  # no list that can be read needs it

    frame, level = sys._getframe(0), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OURS):
        frame, level = frame.f_back, level + 1
    # The first line says what is wrong; where credentials are missing, all places follow that were looked at.
    what = error.message.partition("\n")[0].rstrip(".")
    warnings.warn(
        f"{what}. Runs there are listed by the tags that they began with: one that was given others may be missing.",
        RuntimeWarning,
        stacklevel=level,
    )
