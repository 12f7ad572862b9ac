"""The tags that people give to a run, which may change at any time, by several people at once.

The run's record holds those it began with. The first change puts an object beside it, which every
later change replaces by compare-and-swap: whoever was overtaken looks again and repeats their change,
so that no writer loses another's.
"""

import json
from typing import Callable, FrozenSet, Iterable, Optional, Tuple

from headway.errors import KeyExistsError, KeyNotFoundError, StoreUnavailableError, TaggingError
from headway.store import layout
from headway.store.base import ObjectStore
from headway.store.records import encode

#: Tags of one run that people may give.
MAX_TAGS = 50
#: Characters of one tag.
MAX_LENGTH = 500

#: So often a change is repeated. Each time another writer got through, so this is a crowd and no deadlock.
_TRIES = 200

Tags = FrozenSet[str]


def check_tags(tags: Iterable[object], before: Optional[Iterable[str]] = None) -> Tags:
    """The tags, if a run may have them.

    Args:
        tags: All tags that it would have from people.
        before: Those it has now: a run with too many may lose some and still have too many.

    Raises:
        TaggingError: One of them is no text, empty or too long, or there are too many.
    """
    checked = frozenset(_checked(tag) for tag in tags)
    if len(checked) > MAX_TAGS and (before is None or len(checked) > len(frozenset(before))):
        raise TaggingError(
            f"A run can have {MAX_TAGS} tags, and this would make {len(checked)}.",
            "Remove some first: tag remove TAG --run-id RUN, or run.remove_tags([...]).",
        )
    return checked


def read_tags(store: ObjectStore, flow: str, run: str, begun_with: Iterable[str]) -> Tags:
    """The tags that a run has from people now.

    Args:
        store: The datastore that holds the run.
        flow: Its flow.
        run: Its id.
        begun_with: Those in its record.
    """
    try:
        return _decode(store.get(layout.tags(flow, run)))
    except KeyNotFoundError:
        return frozenset(begun_with)


def change_tags(
    store: ObjectStore, flow: str, run: str, begun_with: Iterable[str], change: Callable[[Tags], Tags]
) -> Tags:
    """Change the tags that a run has from people.

    Args:
        store: The datastore that holds the run.
        flow: Its flow.
        run: Its id.
        begun_with: Those in its record.
        change: Makes the new tags of those it finds; called again where another writer was first.

    Returns:
        The tags that the run now has.

    Raises:
        TaggingError: It may not have these.
        StoreUnavailableError: Others change them without a pause.
    """
    key = layout.tags(flow, run)
    for _ in range(_TRIES):
        now, version = _tagged(store, key)
        have = frozenset(begun_with) if now is None else now
        wanted = check_tags(change(have), have)
        if wanted == have:
            return have
        data = encode({"tags": sorted(wanted)})
        try:
            if version is None:
                store.put_if_absent(key, data)
            else:
                store.replace(key, data, version)
        except KeyExistsError:
            continue
        return wanted
    raise StoreUnavailableError(
        f"The tags of run {flow}/{run} were changed by others {_TRIES} times while this change was tried.",
        "Try again once they are done.",
    )


def _tagged(store: ObjectStore, key: str) -> Tuple[Optional[Tags], Optional[str]]:
    try:
        data, version = store.get_tagged(key)
    except KeyNotFoundError:
        return None, None
    return _decode(data), version


def _decode(data: bytes) -> Tags:
    return frozenset(json.loads(data)["tags"])


def _checked(tag: object) -> str:
    if isinstance(tag, bytes):
        try:
            tag = tag.decode()
        except UnicodeDecodeError as error:
            raise TaggingError(f"The tag {tag!r} is not UTF-8.", "Give it as text.") from error
    if not isinstance(tag, str):
        raise TaggingError(
            f"The tag {tag!r} is {type(tag).__name__}, and tags are text.", f"Write {str(tag)!r}."
        )
    if not tag:
        raise TaggingError("A tag cannot be empty.", "Give it at least one character.")
    if len(tag) > MAX_LENGTH:
        raise TaggingError(
            f"The tag {tag[:30]!r}… has {len(tag)} characters; {MAX_LENGTH} are allowed.",
            "Shorten it, and store the long form as an artifact.",
        )
    try:
        tag.encode()
    except UnicodeEncodeError as error:
        raise TaggingError(
            f"The tag {tag!r} cannot be written as UTF-8.", "It holds half a character."
        ) from error
    return tag
