"""What a foreach can go over: how many items it has, and which is the n-th."""

from itertools import islice

from headway.plain import Any


def count_items(iterable: Any) -> int:
    """How many tasks a foreach over this makes.

    Raises:
        TypeError: It cannot be iterated, or only once.
    """
    if hasattr(iterable, "__next__"):
        raise TypeError("an iterator gives its items once, and each task has to find its own")
    if hasattr(iterable, "__iter__") and hasattr(iterable, "__len__") and not hasattr(iterable, "iloc"):
        return len(iterable)
    # Iteration is what the items are defined by: the len() of a DataFrame counts
    # its rows, where iteration gives its columns.
    return sum(1 for _ in iterable)


def item_at(iterable: Any, index: int) -> Any:
    """The item that iteration gives at this index, found directly where that is the same.

    Raises:
        IndexError: There are fewer items.
    """
    if type(iterable) in (list, tuple, str, bytes, range):
        return iterable[index]
    if isinstance(iterable, (set, frozenset)):
        return items_of(iterable)[index]
    if not _is_keyed(iterable):
        try:
            return iterable[index]
        except (TypeError, KeyError, IndexError):
            # Iterable without positions.
            return _nth(iterable, index)
    return _nth(iterable, index)


def items_of(iterable: Any) -> Any:
    """All items, in the order of their tasks."""
    return sorted(iterable, key=_rank) if isinstance(iterable, (set, frozenset)) else iterable


def _rank(item: Any) -> Any:
    """What the items of a set are sorted by: the order in which a set gives them is another in each process."""
    from pickle import dumps  # for sets only

    if isinstance(item, (set, frozenset)):
        return dumps(sorted(map(_rank, item)))
    return dumps([_rank(part) for part in item]) if isinstance(item, tuple) else dumps(item)


def _is_keyed(iterable: Any) -> bool:
    """Whether ``iterable[n]`` means a key or label and not a position: mappings, pandas objects."""
    return hasattr(iterable, "keys") or hasattr(iterable, "iloc")


def _nth(iterable: Any, index: int) -> Any:
    for item in islice(iterable, index, index + 1):
        return item
    raise IndexError(f"there is no item {index}")
