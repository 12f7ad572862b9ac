"""The frames of a stored blob: fetched side by side, each block hashed by whoever fetched it, and checked."""

from functools import partial
from typing import Callable, Iterator, List, NamedTuple, Optional, Sequence, Tuple, TypeVar

from headway.store.arriving import Arriving, use_arriving
from headway.store.base import Buffer
from headway.store.blob_format import (
    BLOCK_SIZE,
    OTHER_CONTENT,
    Header,
    damaged,
    decode_header,
    header_end,
    unpacked,
)
from headway.store.digest import block_digest, content_address, sha256
from headway.store.parallel import run_parallel

T = TypeVar("T")

#: So much of a blob is read at first; most blobs are whole in it.
FIRST_READ = 1 << 20

#: Frames from this size on have memory of the system's own, see ``headway.store.pages``.
_LARGE_ROOM = 4 << 20

#: What is stored as it is comes in ranges of at most this size, straight to where it belongs: a request
#: costs the server more than the bytes of a small range do.
_MOST_AT_ONCE = 32 << 20

_THREADS = 4

#: Reads bytes [start, end) of a blob; shorter at its end. Called from several threads.
ReadRange = Callable[[int, int], bytes]
#: Fills a view with a blob's bytes from a place on, and says how many there were; called likewise.
Fill = Callable[[int, memoryview], int]


def use_contents(read: ReadRange, fill: Optional[Fill], name: str, expected: str, use: Callable[..., T]) -> T:
    """What becomes of the frames of a blob, each in memory of its own, all known to be what was stored.

    Args:
        read: Reads a range of the blob.
        fill: Reads a range straight to where it belongs; None to go through ``read``.
        name: The artifact's name, for errors.
        expected: The address of the content, "" to trust the blob's own.
        use: Called with the pickle and an iterable of the other frames. The pickle is a buffer or, where it has
            several blocks whose digests the header tells, a file whose later blocks are still coming.

    Raises:
        StoreError: The blob is damaged.
        Exception: What ``use`` raised.
    """
    first = read(0, FIRST_READ)
    end = header_end(first, name)
    if end > len(first):
        first += read(len(first), end)
    header = decode_header(first, name)
    alone = _alone(first, header, name, expected)
    if alone is not None:
        return use(alone)
    if header.digests:
        sizes = [frame.size for frame in header.frames]
        _compare(content_address(sizes, header.digests, header.block), header, name, expected)
    contents = [_room(header, number) for number in range(len(header.frames))]
    views = [memoryview(content).cast("B") for content in contents]
    total = sum(view.nbytes for view in views)
    blocks = _blocks(header, views)
    rest = max(0, blocks[-1].end - len(first)) if blocks else 0
    most = min(_MOST_AT_ONCE, rest // (2 * _THREADS)) if fill is not None else 0
    if header.digests:
        # The pickle's first block is what is waited for at first.
        groups = [blocks[:1], *_group(blocks[1:], most)]
        arriving = Arriving(len(header.frames[0].blocks), header.block)

        def bring(group: Sequence[_Block]) -> None:
            for block, content in _fetched(read, fill, first, group, name):
                if block_digest(content, total) != block.digest:
                    raise damaged(name, OTHER_CONTENT)
                if block.frame is views[0]:
                    arriving.came(block.place // header.block, content)
                else:
                    block.settle(content)

        return use_arriving(arriving, [partial(bring, group) for group in groups], contents[1:], use)

    groups = _group(blocks, most)

    def bring_all(group: Sequence[_Block]) -> List[bytes]:
        digests = []
        for block, content in _fetched(read, fill, first, group, name):
            block.settle(content)
            if header.tree:
                digests.append(block_digest(content, total))
        return digests

    brought = run_parallel([partial(bring_all, group) for group in groups], _THREADS if rest else 1)
    if header.tree:
        digests = iter([digest for group in brought for digest in group])
        each = [[next(digests) for _ in frame.blocks] for frame in header.frames]
        found = content_address([view.nbytes for view in views], each, header.block)
    else:
        found = _address_in_a_row(views)
    _compare(found, header, name, expected)
    return use(contents[0], contents[1:])


def _compare(found: str, header: Header, name: str, expected: str) -> None:
    if found != (expected or header.sha256):
        raise damaged(name, OTHER_CONTENT)


def _alone(first: bytes, header: Header, name: str, expected: str) -> Optional[bytes]:
    """The one frame of a blob whose first bytes hold all of it as it is; None for any other.

    Nearly every value is such a blob, and by the thousand what it takes to bring blocks side by side adds up.
    """
    if header.arrays or len(header.frames) != 1 or len(header.frames[0].blocks) != 1:
        return None
    size, ((codec, stored),) = header.frames[0]
    if codec != "raw" or stored != size or header.start + size > len(first):
        return None
    content = first[header.start : header.start + size]
    view = memoryview(content)
    if header.tree:
        found = content_address([size], [[block_digest(view, size)]], header.block)
    else:
        found = _address_in_a_row([view])
    _compare(found, header, name, expected)
    return content


class _Block(NamedTuple):
    """A block.

    Attributes:
        start: Where it begins in the blob.
        end: Where it ends there.
        codec: How it is packed.
        into: Its place in the content.
        frame: The content that this is a part of.
        place: Where in it.
        digest: The sha256 of the content; empty where the header does not tell.
    """

    start: int
    end: int
    codec: str
    into: memoryview
    frame: memoryview
    place: int
    digest: bytes

    def settle(self, content: Buffer) -> None:
        """Put the content in its place, unless it is there."""
        if content is not self.into:
            self.into[:] = content


def _room(header: Header, number: int) -> Buffer:
    """Where a frame's content goes."""
    size = header.frames[number].size
    if number in header.arrays:
        from headway.store.arrays import room  # where there are such arrays only

        return room(size, header.arrays[number])
    if size < _LARGE_ROOM:
        return bytearray(size)
    from headway.store.pages import large_room  # for large values only

    return large_room(size)


def _blocks(header: Header, views: Sequence[memoryview]) -> List[_Block]:
    blocks: List[_Block] = []
    start = header.start
    for index, (frame, view) in enumerate(zip(header.frames, views)):
        for number, (codec, stored) in enumerate(frame.blocks):
            place = number * header.block
            into = view[place : place + header.block]
            digest = header.digests[index][number] if header.digests else b""
            blocks.append(_Block(start, start + stored, codec, into, view, place, digest))
            start += stored
    return blocks


def _group(blocks: Sequence[_Block], most: int) -> List[List[_Block]]:
    """The blocks in groups that are read at once: many small arrays need not be many requests.

    Args:
        blocks: All of them.
        most: Bytes in a group of blocks that lie in the content as they do in the blob.
    """
    groups: List[List[_Block]] = []
    for block in blocks:
        size = block.end - groups[-1][0].start if groups else 0
        if not groups or not (size <= BLOCK_SIZE or (size <= most and _lie_alike([*groups[-1], block]))):
            groups.append([])
        groups[-1].append(block)
    return groups


def _lie_alike(group: Sequence[_Block]) -> bool:
    """Whether these blocks, one after the other in the blob, are so in the content too."""
    return all(block.codec == "raw" and block.frame is group[0].frame for block in group)


def _fetched(
    read: ReadRange, fill: Optional[Fill], first: bytes, group: Sequence[_Block], name: str
) -> Iterator[Tuple[_Block, Buffer]]:
    """Each block and its content, from what was read at first and with one read more."""
    start, end = group[0].start, group[-1].end
    data = first[start:end]
    if fill is not None and start + len(data) < end and _lie_alike(group):
        into = group[0].frame[group[0].place : group[-1].place + len(group[-1].into)]
        if len(into) != end - start:
            raise damaged(name, f"its header tells of {end - start} bytes in the place of {len(into)}")
        into[: len(data)] = data
        have = len(data) + fill(start + len(data), into[len(data) :])
        if have < len(into):
            raise damaged(name, f"it is cut off after {start + have} bytes")
        for block in group:
            yield block, block.into
        return
    if start + len(data) < end:
        data += read(start + len(data), end)
    if start + len(data) < end:
        raise damaged(name, f"it is cut off after {start + len(data)} bytes")
    view = memoryview(data)
    for block in group:
        packed = view[block.start - start : block.end - start]
        yield block, unpacked(block.codec, packed, len(block.into), name)


def _address_in_a_row(frames: Sequence[memoryview]) -> str:
    """The address of content as the first versions made it."""
    digest = sha256(sum(frame.nbytes for frame in frames))
    for frame in frames:
        digest.update(frame.nbytes.to_bytes(8, "little"))
        digest.update(frame)
    return str(digest.hexdigest())
