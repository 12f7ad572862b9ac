"""The bytes of a stored artifact: a header, then frames in blocks, each compressed if that pays.

::

    b"HWB1" | length of the header, 4 bytes little-endian | header, JSON | block | block | …

    header  {"sha256": …, "hash": "tree", "type": …, "block": 8388608,
             "frames": [[size, [[codec, stored size], …]], …], "arrays": {"1": ["d", 16], …},
             "digests": [["<sha256 of a block>", …], …]}
    hash    how the sha256 is made: of the blocks' ("tree"), or where there is no such word, of all in a row
    frame   the pickle first, then each of its out-of-band buffers
    block   so many bytes of a frame (the last has fewer), as they are ("raw") or packed ("zlib")
    arrays  which frames are the content of arrays of Python's own, see ``headway.store.arrays``
    digests of every block of every frame, where the pickle has several: each is known to be what was
            stored before the next one comes, see ``headway.store.arriving``

Blocks stand alone, so that they are packed, fetched and unpacked side by side, and what does not
shrink within a large frame is left alone.
"""

import json
import zlib
from functools import partial
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence, Tuple

from headway.errors import StoreError
from headway.store.base import Buffer
from headway.store.parallel import run_parallel

MAGIC = b"HWB1"
BLOCK_SIZE = 8 << 20

_PREFIX = len(MAGIC) + 4

#: Smaller blocks are stored as they are: a request costs more than what compression saves.
_COMPRESS_SIZE = 16 << 10

#: Three pieces of this size, from the start, the middle and the end, tell whether a block shrinks.
_SAMPLE_SIZE = 16 << 10
_WORTHWHILE = 0.9

_THREADS = 4

#: What is wrong with a blob whose frames are not those that its address was made of.
OTHER_CONTENT = "its content does not match its sha256"

#: An array's type code, and what it is on this machine: size, sign and order of its bytes.
ArrayKind = Tuple[str, int]


class Frame(NamedTuple):
    """A frame as the header tells of it: its size, and codec and stored size of each block."""

    size: int
    blocks: Sequence[Tuple[str, int]]


class Header(NamedTuple):
    """What stands before the frames.

    Attributes:
        sha256: The address of the content.
        type: The name of the value's type.
        block: Bytes in each block of a frame, before compression.
        frames: In their order.
        start: Where the first frame begins.
        tree: Whether the address is made of those of the blocks.
        arrays: By frame: the array's type code and its machine format.
        digests: By frame: the sha256 of each block; empty where the header does not tell.
    """

    sha256: str
    type: str
    block: int
    frames: Sequence[Frame]
    start: int
    tree: bool
    arrays: Mapping[int, ArrayKind]
    digests: Sequence[Sequence[bytes]] = ()


def encode_blob(
    sha256: str,
    kind: str,
    frames: Sequence[memoryview],
    arrays: Mapping[int, ArrayKind],
    digests: Sequence[Sequence[bytes]],
) -> List[Buffer]:
    """The bytes of a blob as a sequence of buffers; what is not packed is not copied.

    Args:
        sha256: The address of the content.
        kind: The name of the value's type.
        frames: The content.
        arrays: Which of them are arrays.
        digests: The sha256 of each block of each of them.
    """
    views = [view for frame in frames for view in cut(frame, BLOCK_SIZE)]
    blocks = iter(run_parallel([partial(_pack, view) for view in views], _THREADS))
    listed = []
    body: List[Buffer] = []
    for frame in frames:
        count = -(-frame.nbytes // BLOCK_SIZE)
        packed = [next(blocks) for _ in range(count)]
        listed.append((frame.nbytes, [(codec, memoryview(data).nbytes) for codec, data in packed]))
        body += (data for _, data in packed)
    header: Dict[str, Any] = {
        "sha256": sha256, "hash": "tree", "type": kind, "block": BLOCK_SIZE, "frames": listed
    }  # fmt: skip
    if arrays:
        header["arrays"] = arrays
    if frames[0].nbytes > BLOCK_SIZE:
        header["digests"] = [[digest.hex() for digest in each] for each in digests]
    text = json.dumps(header).encode()
    return [MAGIC + len(text).to_bytes(4, "little") + text, *body]


def cut(frame: memoryview, size: int) -> List[memoryview]:
    """The blocks of a frame."""
    return [frame[start : start + size] for start in range(0, frame.nbytes, size)]


def header_end(data: bytes, name: str) -> int:
    """Where the header ends in a blob that begins so.

    Raises:
        StoreError: It does not begin like a blob.
    """
    if len(data) < _PREFIX or not data.startswith(MAGIC):
        raise damaged(name, "it does not begin like a blob")
    return _PREFIX + int.from_bytes(data[len(MAGIC) : _PREFIX], "little")


def decode_header(data: bytes, name: str) -> Header:
    """The header of a blob, of which at least the header is here.

    Raises:
        StoreError: It cannot be read.
    """
    end = header_end(data, name)
    try:
        raw = json.loads(data[_PREFIX:end])
        frames = [
            Frame(int(size), [(str(codec), int(stored)) for codec, stored in blocks])
            for size, blocks in raw["frames"]
        ]
        arrays = {
            int(number): (str(code), int(form)) for number, (code, form) in raw.get("arrays", {}).items()
        }
        digests = [[bytes.fromhex(digest) for digest in each] for each in raw.get("digests", ())]
        if digests and [len(each) for each in digests] != [len(frame.blocks) for frame in frames]:
            raise ValueError("there is not a digest for each block")
        tree = raw.get("hash") == "tree"
        return Header(raw["sha256"], raw["type"], int(raw["block"]), frames, end, tree, arrays, digests)
    except (ValueError, KeyError, TypeError) as error:
        raise damaged(name, "its header cannot be read") from error


def unpacked(codec: str, data: memoryview, size: int, name: str) -> Buffer:
    """A block's content.

    Args:
        codec: How it is packed.
        data: As it is stored.
        size: How large the content is.
        name: The artifact's name, for errors.

    Raises:
        StoreError: It is not what the header says, or packed in a way that is not known here.
    """
    content: Buffer = data
    if codec == "zlib":
        try:
            content = zlib.decompress(data, bufsize=max(1, size))
        except zlib.error as error:
            raise damaged(name, str(error)) from error
    elif codec != "raw":
        raise StoreError(
            f"artifact {name} is compressed with {codec!r}, which this version of Headway does not read",
            "Update Headway here.",
        )
    if len(content) != size:
        raise damaged(name, f"a block holds {len(content)} bytes instead of {size}")
    return content


def damaged(name: str, why: str) -> StoreError:
    """The error for a blob that is not what was stored."""
    return StoreError(
        f"artifact {name} is damaged in the datastore: {why}",
        "Delete that object, then run the step that made it again: an object that is there is not written anew, and "
        "resume would take over the damaged one.",
    )


def _pack(block: memoryview) -> Tuple[str, Buffer]:
    if _shrinks(block):
        packed = zlib.compress(block, 1)
        if len(packed) < block.nbytes * _WORTHWHILE:
            return "zlib", packed
    return "raw", block


def _shrinks(block: memoryview) -> bool:
    size = block.nbytes
    if size < _COMPRESS_SIZE:
        return False
    starts = sorted({0, max(0, (size - _SAMPLE_SIZE) // 2), max(0, size - _SAMPLE_SIZE)})
    samples = [block[start : start + _SAMPLE_SIZE] for start in starts]
    packed = sum(len(zlib.compress(sample, 1)) for sample in samples)
    return packed < sum(sample.nbytes for sample in samples) * _WORTHWHILE
