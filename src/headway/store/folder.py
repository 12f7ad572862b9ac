"""Objects as files in a folder, local or shared between machines."""

import errno
import fcntl
import os
import stat
from contextlib import contextmanager, suppress
from typing import Callable, Iterable, Iterator, Optional, Sequence, Set, Tuple, TypeVar, Union

from headway.errors import (
    KeyExistsError,
    KeyNotFoundError,
    StoreConfigurationError,
    StoreError,
    StoreUnavailableError,
)
from headway.store.base import Buffer, ObjectInfo, join_buffers
from headway.store.digest import sha256_of
from headway.store.keys import check_key, check_prefix

#: Names that begin so are half-written objects; no key may hold one.
_TEMPORARY = ".headway~"
_LOCKS = ".locks"
_RESERVED_FOLDER, _RESERVED_NAME = f"{_LOCKS}/", f"/{_TEMPORARY}"

#: How often a folder may vanish under a writer, because another deleted the last object in it.
_FOLDER_TRIES = 100

#: How often a file may be replaced under a reader on another machine.
_STALE_TRIES = 10

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}

#: What to type where the folder is of no use.
_ELSEWHERE = "name another folder: --datastore-root=/path, or export HEADWAY_DATASTORE_SYSROOT_LOCAL=/path"

T = TypeVar("T")


class FolderStore:
    """An :class:`~headway.store.base.ObjectStore` over a folder.

    A key is a path below the root, so no key may be a folder of another ("a" and "a/b"), and where
    the file system ignores case, so does the store. Writes are whole or absent to every reader, but
    not synced to the disk: after a power cut the youngest objects may be gone. :meth:`replace` is
    atomic among replaces, on shared folders too where they pass locks on (NFS 4, SMB).

    Args:
        root: The folder; made when something is written.
        hard_links: False where the file system is known to have none; otherwise found out.
    """

    def __init__(self, root: str, hard_links: bool = True) -> None:
        self._root = os.path.abspath(root)
        self._hard_links = hard_links

    @property
    def url(self) -> str:
        return self._root

    def get(self, key: str) -> bytes:
        try:
            return _read(self._path(key))
        except OSError as error:
            raise self._read_error(error, key) from error

    def get_range(self, key: str, start: int, end: int) -> bytes:
        try:
            return _read(self._path(key), start, end)
        except OSError as error:
            raise self._read_error(error, key) from error

    def read_into(self, key: str, start: int, into: memoryview) -> int:
        path = self._path(key)
        try:
            return _from_file(lambda: _fill_once(path, start, into))
        except OSError as error:
            raise self._read_error(error, key) from error

    def get_tagged(self, key: str) -> Tuple[bytes, str]:
        data = self.get(key)
        return data, _tag(data)

    def put(self, key: str, data: Union[Buffer, Sequence[Buffer]]) -> None:
        path = self._path(key)
        try:
            with self._written(path, data) as temporary:
                os.replace(temporary, path)
        except OSError as error:
            raise self._write_error(error, key) from error

    def put_if_absent(self, key: str, data: Buffer) -> None:
        path = self._path(key)
        try:
            with self._written(path, data) as temporary:
                self._publish(temporary, path)
        except (FileExistsError, IsADirectoryError) as error:
            raise KeyExistsError(f"{key} exists already in {self._root}") from error
        except OSError as error:
            raise self._write_error(error, key) from error

    def replace(self, key: str, data: Buffer, tag: str) -> str:
        path = self._path(key)
        with self._lock(key):
            try:
                current = _tag(self.get(key))
            except KeyNotFoundError as error:
                raise KeyExistsError(f"{key} is no longer in {self._root}") from error
            if current != tag:
                raise KeyExistsError(f"{key} in {self._root} was changed by another process")
            try:
                with self._written(path, data) as temporary:
                    os.replace(temporary, path)
            except OSError as error:
                raise self._write_error(error, key) from error
        return _tag(data)

    def size(self, key: str) -> Optional[int]:
        try:
            found = os.stat(self._path(key))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise self._read_error(error, key) from error
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def list(self, prefix: str, after: str = "") -> Iterator[ObjectInfo]:
        folder = check_prefix(prefix).rpartition("/")[0]
        return self._walk(f"{folder}/" if folder else "", prefix, after)

    def delete(self, keys: Iterable[str]) -> None:
        folders: Set[str] = set()
        for key in keys:
            path = self._path(key)
            try:
                os.unlink(path)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                if os.path.isdir(path):  # a folder is not an object, so there is nothing to delete
                    continue
                raise self._write_error(error, key) from error
            folders.add(os.path.dirname(path))
        for folder in sorted(folders, reverse=True):
            self._prune(folder)

    def _path(self, key: str) -> str:
        check_key(key)
        if key.startswith(_RESERVED_FOLDER) or _RESERVED_NAME in f"/{key}":
            raise ValueError(f"{key!r} is reserved by the folder store")
        return f"{self._root}/{key}"

    @contextmanager
    def _written(self, path: str, data: Union[Buffer, Sequence[Buffer]]) -> Iterator[str]:
        """A file beside path that holds the data, gone again at the end unless it was renamed."""
        folder = os.path.dirname(path)
        # Random and not numbered by process: in pods every process is number 1.
        temporary = f"{folder}/{_TEMPORARY}{os.urandom(8).hex()}"
        for left in reversed(range(_FOLDER_TRIES)):
            try:
                os.makedirs(folder, exist_ok=True)
                file = open(temporary, "xb")  # noqa: SIM115  (closed below; the loop is about opening it)
                break
            except (FileNotFoundError, FileExistsError):  # the latter from makedirs, as it looks twice
                if not left:
                    raise
        try:
            with file:
                file.writelines(join_buffers(data))
            yield temporary
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary)

    def _publish(self, temporary: str, path: str) -> None:
        """Give the file its name, unless the name is taken (FileExistsError)."""
        if self._hard_links:
            try:
                self._link(temporary, path)
                return
            except FileExistsError:
                # Over NFS a link may be made and the answer be lost, and the next try find the name taken: by us.
                if os.stat(temporary).st_nlink > 1:
                    return
                raise
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                self._hard_links = False
        # Creating the name decides who wins; the content follows in one step. In between a reader
        # may see an empty object, and a crash exactly there leaves one.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        os.replace(temporary, path)

    def _link(self, temporary: str, path: str) -> None:
        os.link(temporary, path)

    @contextmanager
    def _lock(self, key: str) -> Iterator[None]:
        """Held by one replace of this key at a time, over all processes and threads."""
        # 256 lock files for all keys: two keys that share one only wait for each other.
        name = f"{self._root}/{_LOCKS}/{_tag(key.encode())[:2]}"
        try:
            os.makedirs(os.path.dirname(name), exist_ok=True)
            handle = os.open(name, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise self._write_error(error, key) from error
        try:
            try:
                self._take(handle)
            except OSError as error:
                raise self._error(error, "locking", key) from error
            yield
        finally:
            os.close(handle)

    def _take(self, handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX)

    def _walk(self, base: str, prefix: str, after: str) -> Iterator[ObjectInfo]:
        try:
            with os.scandir(f"{self._root}/{base}") as found:
                # A folder sorts as its keys do, with the slash: "a.txt" before "a/b".
                entries = sorted(
                    (f"{base}{entry.name}/" if entry.is_dir() else f"{base}{entry.name}", entry)
                    for entry in found
                    if not entry.name.startswith(_TEMPORARY) and (base or entry.name != _LOCKS)
                )
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise self._read_error(error, base) from error
        for key, entry in entries:
            if key.endswith("/"):
                passed = key < after and not after.startswith(key)
                if not passed and (key.startswith(prefix) or prefix.startswith(key)):
                    yield from self._walk(key, prefix, after)
            elif key.startswith(prefix) and key > after:
                try:
                    yield ObjectInfo(key, entry.stat().st_size)
                except FileNotFoundError:  # deleted since
                    continue

    def _prune(self, folder: str) -> None:
        """Remove the folder and those above it, up to the root, as far as they are empty."""
        while len(folder) > len(self._root):
            try:
                os.rmdir(folder)
            except FileNotFoundError:
                pass
            except OSError:
                return
            folder = os.path.dirname(folder)

    def _read_error(self, error: OSError, key: str) -> StoreError:
        if isinstance(error, (FileNotFoundError, NotADirectoryError, IsADirectoryError)):
            return KeyNotFoundError(f"there is no {key} in {self._root}")
        return self._error(error, "reading", key)

    def _write_error(self, error: OSError, key: str) -> StoreError:
        in_the_way = isinstance(error, (FileExistsError, NotADirectoryError, IsADirectoryError))
        if (in_the_way or isinstance(error, FileNotFoundError)) and not os.path.isdir(self._root):
            there = os.path.lexists(self._root)
            what = "is no folder" if there else f"cannot be made: {error.strerror or error}"
            return StoreConfigurationError(
                f"the datastore {self._root} {what}",
                f"Remove what is in the way, or {_ELSEWHERE}",
            )
        if in_the_way:
            return StoreError(
                f"{key} cannot be written in {self._root}: there a key cannot be the folder of another",
                "Use another datastore, or remove what is in the way.",
            )
        return self._error(error, "writing", key)

    def _error(self, error: OSError, doing: str, key: str) -> StoreError:
        message = f"{doing} {key} in the datastore {self._root} failed: {error.strerror or error}"
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return StoreConfigurationError(
                message, f"Make {self._root} writable for this user, or {_ELSEWHERE}"
            )
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return StoreUnavailableError(message, "Make room there.")
        if error.errno == errno.ENAMETOOLONG:
            return StoreError(message, "The name of a flow or step is too long for this file system.")
        return StoreUnavailableError(message)


def _tag(data: Buffer) -> str:
    return sha256_of(data)


def _read(path: str, start: int = 0, end: Optional[int] = None) -> bytes:
    """Bytes [start, end) of a file, as far as it goes."""
    return _from_file(lambda: _read_once(path, start, end))


def _from_file(read: Callable[[], T]) -> T:
    """What was read, of a newer file where the one that was opened is gone."""
    for _ in range(_STALE_TRIES):
        try:
            return read()
        except OSError as error:
            # NFS forgets a file that another machine replaces while it is read here: there is a newer one.
            if error.errno != errno.ESTALE:
                raise
    return read()


def _fill_once(path: str, start: int, into: memoryview) -> int:
    """One try of a read into a view."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.lseek(handle, start, os.SEEK_SET)
        filled = 0
        while filled < len(into):
            count = os.readv(handle, [into[filled:]])
            if not count:
                break
            filled += count
        return filled
    finally:
        os.close(handle)


#: So much is read of a file before its size is asked for; most are smaller.
_SMALL = 64 << 10


def _read_once(path: str, start: int, end: Optional[int]) -> bytes:
    """One try of a read.

    Not with ``open``, whose file object costs three times what reading a small file does.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        wanted = _SMALL if end is None else max(0, min(end - start, _SMALL))
        data = os.pread(handle, wanted, start)
        if len(data) < wanted or start + wanted == end:
            return data
        size = os.fstat(handle).st_size
        last = size if end is None else min(end, size)
        while start + len(data) < last:
            # A read gives at most 2 GiB; nothing more means that the file was cut off meanwhile.
            more = os.pread(handle, last - start - len(data), start + len(data))
            if not more:
                break
            data += more
        return data
    finally:
        os.close(handle)
