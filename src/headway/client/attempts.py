"""Which attempts a task has had, and which of them counts, read off the keys of a datastore."""

from typing import Dict, Iterable, NamedTuple, Optional, Set, Tuple

from headway.client.pathspec import age_order
from headway.store.run_records import RunEnd

_RECORD = "record.json"


class Attempts(NamedTuple):
    """The attempts of one task.

    Attributes:
        counting: The one that counts: the winner, as far as the run's end tells of one, else the newest;
            once the run has ended, the newest that left a record, if one did.
        numbers: All that are known of, from old to new.
        recorded: Those that are over and left a record.
    """

    counting: int
    numbers: Tuple[int, ...]
    recorded: Tuple[int, ...]


class Seen:
    """Collects what keys and batches tell of attempts, for :class:`Attempts` to be made of it."""

    def __init__(self) -> None:
        self._recorded: Dict[str, Dict[str, Set[int]]] = {}
        self._all: Dict[str, Dict[str, Set[int]]] = {}

    def add_keys(self, keys: Iterable[str], folder: str) -> None:
        """Note objects of attempts: ``<folder><step>/<task>/<attempt>/<file>``."""
        start = len(folder)
        for key in keys:
            parts = key[start:].split("/")
            if len(parts) == 4 and parts[2].isdigit():
                self.add(parts[0], parts[1], int(parts[2]), recorded=parts[3] == _RECORD)

    def add(self, step: str, task: str, attempt: int, *, recorded: bool = False) -> None:
        """Note an attempt."""
        self._all.setdefault(step, {}).setdefault(task, set()).add(attempt)
        if recorded:
            self._recorded.setdefault(step, {}).setdefault(task, set()).add(attempt)

    def steps(self, end: Optional[RunEnd]) -> Dict[str, Dict[str, Attempts]]:
        """By step and task, from old to new; ``end`` is the run's, None while it goes on."""
        found: Dict[str, Dict[str, Attempts]] = {}
        for step, tasks in self._all.items():
            recorded = self._recorded.get(step, {})
            found[step] = {
                task: _attempts(f"{step}/{task}", tasks[task], recorded.get(task, set()), end)
                for task in sorted(tasks, key=age_order)
            }
        return dict(sorted(found.items(), key=lambda item: age_order(next(iter(item[1])))))


def _attempts(name: str, numbers: Set[int], recorded: Set[int], end: Optional[RunEnd]) -> Attempts:
    if end is None:
        counting = max(numbers)
    else:
        winner = end.winners.get(name)
        counting = winner if winner is not None and winner in numbers else max(recorded or numbers)
    return Attempts(counting, tuple(sorted(numbers)), tuple(sorted(recorded)))
