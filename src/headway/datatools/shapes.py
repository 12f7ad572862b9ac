"""Whether what a call is given has the shape that it takes: a list of keys, or pairs of a key and a value."""

from typing import Any, Iterable, Iterator, List, TypeVar

from headway.datatools.errors import S3InvalidObjectError, S3URLError
from headway.datatools.values import S3GetObject, S3PutObject

T = TypeVar("T")


def keys_of(keys: Iterable[T]) -> List[T]:
    """The keys, one by one.

    Raises:
        S3URLError: It is one key alone, whose letters would else be taken for keys, or nothing that holds any.
    """
    if isinstance(keys, (str, bytes)):
        raise S3URLError(f"keys is {keys!r}, a text.", f"Write [{keys!r}].")
    if isinstance(keys, S3GetObject):
        raise S3URLError(f"keys is a single {keys!r}.", "Write it in a list.")
    try:
        return list(keys)
    except TypeError as error:
        raise S3URLError(
            f"keys is {keys!r} ({type(keys).__name__}).", 'Write a list of keys: ["a", "b"].'
        ) from error


def pairs_of(pairs: Iterable[T], name: str, value: str) -> Iterable[T]:
    """The pairs, each looked at: those of a list now, so that nothing is stored where one is wrong.

    Args:
        pairs: Pairs of a key and something, or ``S3PutObject``.
        name: What the argument is called.
        value: What stands behind a key.

    Raises:
        S3InvalidObjectError: It is no list of pairs; of a generator it is raised where the pair comes.
    """
    shape = f'[("key", {value}), …]'
    if isinstance(pairs, (str, bytes, S3PutObject)) or not hasattr(pairs, "__iter__"):
        raise S3InvalidObjectError(f"{name} is {pairs!r} ({type(pairs).__name__}).", f"Write {shape}.")
    if isinstance(pairs, dict):
        raise S3InvalidObjectError(f"{name} is a dict.", f"Write list(d.items()), for {shape}.")
    checked = _checked(pairs, name, shape)
    return list(checked) if isinstance(pairs, (list, tuple)) else checked


def _checked(pairs: Iterable[T], name: str, shape: str) -> Iterator[T]:
    for pair in pairs:
        if not _is_pair(pair):
            raise S3InvalidObjectError(
                f"{name} holds {pair!r}, which is no pair.", f"Write {shape}, or S3PutObject."
            )
        yield pair


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, S3PutObject) or (isinstance(pair, (tuple, list)) and len(pair) == 2)
