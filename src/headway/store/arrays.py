"""Arrays of Python's own module ``array``: stored and read back without a copy of what they hold.

By itself the module puts an array's bytes into the pickle: two copies on the way in, two on the way out. Here
they stay out of it, as those of other libraries' arrays do. Loaded only where there are such arrays.
"""

from array import _array_reconstructor, array  # type: ignore[attr-defined]
from copyreg import dispatch_table
from io import BytesIO
from pickle import PickleBuffer, Pickler
from typing import Any, Callable, Optional

from headway.store.base import Buffer
from headway.store.blob_format import ArrayKind

#: Those of numbers; arrays of characters are rare, and their type is on its way out.
_CODES = "bBhHiIlLqQfd"


def dumps(
    value: object,
    kept: Callable[[PickleBuffer], bool],
    expect: Callable[[PickleBuffer, ArrayKind], PickleBuffer],
    least: int,
    file: Optional[BytesIO] = None,
) -> memoryview:
    """The pickle of a value.

    Args:
        value: The value.
        kept: Takes what stays out of the pickle.
        expect: Told of each array's buffer before it comes.
        least: Bytes of the smallest array that stays out.
        file: Where the pickle goes; by default wherever there is memory.
    """

    def reduce(found: "array[Any]") -> Any:
        if found.typecode not in _CODES or len(found) * found.itemsize < least:
            return found.__reduce_ex__(5)
        kind = _kind(found.typecode)
        return restore, (*kind, expect(PickleBuffer(found), kind))

    file = BytesIO() if file is None else file
    pickler = Pickler(file, protocol=5, buffer_callback=kept)
    pickler.dispatch_table = {array: reduce, **dispatch_table}
    pickler.dump(value)
    return file.getbuffer()


def restore(code: str, form: int, buffer: Any) -> "array[Any]":
    """What a pickle names to make an array again. The name stands in pickles: it stays.

    Args:
        code: The array's type code.
        form: The machine format of its numbers.
        buffer: Its content, as a rule the array itself.
    """
    if type(buffer) is array and buffer.typecode == code:
        return buffer
    made: array[Any] = _array_reconstructor(array, code, form, bytes(buffer))
    return made


def room(size: int, kind: ArrayKind) -> Buffer:
    """Where an array's content of so many bytes goes: the array itself, if this machine has the like."""
    code, form = kind
    if code not in _CODES or _kind(code) != (code, form) or size % array(code).itemsize:
        return bytearray(size)
    made: Any = array(code, [0]) * (size // array(code).itemsize)
    return made  # type: ignore[no-any-return]  # whose bytes are written through a view


def _kind(code: str) -> ArrayKind:
    made: Any = array(code).__reduce_ex__(3)
    return code, int(made[1][2])
