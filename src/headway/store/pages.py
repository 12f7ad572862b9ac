"""Memory for large content, which nothing is written to before the content itself comes.

A ``bytearray`` is filled with zeros first, page by page as the system gives them and with all other threads held
up: of loading a large array that took as long as fetching it. Large pages are not asked for: in virtual machines
that give free memory back to their host they cost several times what they save. Loaded only for large values.
"""

import mmap

from headway.store.base import Buffer


def large_room(size: int) -> Buffer:
    """Writable memory of so many bytes, more than none."""
    try:
        return memoryview(mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
    except OSError:  # what is raised then says that there is no memory
        return bytearray(size)
