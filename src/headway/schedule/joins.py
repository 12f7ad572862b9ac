"""The joins that wait: which siblings of a split have come, in split order."""

from msgspec import Struct

from headway.schedule.transitions import Arrival
from headway.store.records import AttemptRef


class _Group(Struct, eq=False):
    arrived: list[AttemptRef | None]
    missing: int


class JoinGroups:
    """Collects arrivals until a split's siblings are complete."""

    def __init__(self) -> None:
        # A split task's id is unique in the run, so the outer frames need not be part of the key.
        self._groups: dict[tuple[str, tuple[str, str]], _Group] = {}

    def arrive(self, arrival: Arrival, ref: AttemptRef) -> tuple[AttemptRef, ...] | None:
        """Note that this attempt has come.

        Returns:
            The join's inputs in split order once all are there, None before.
        """
        key = (arrival.join, arrival.split)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group([None] * arrival.count, arrival.count)
        assert group.arrived[arrival.index] is None, f"{ref} came to {arrival.join} a second time"
        group.arrived[arrival.index] = ref
        group.missing -= 1
        if group.missing:
            return None
        del self._groups[key]
        return tuple(ref for ref in group.arrived if ref is not None)

    def waiting(self) -> list[tuple[str, int, int]]:
        """(join step, arrived, expected) of each join that still waits."""
        return [
            (join, len(group.arrived) - group.missing, len(group.arrived))
            for (join, _), group in self._groups.items()
        ]
