"""What is particular to the store in a folder."""

import errno
import os
import threading
from pathlib import Path

import pytest

from headway.errors import (
    KeyExistsError,
    KeyNotFoundError,
    StoreConfigurationError,
    StoreError,
    StoreUnavailableError,
)
from headway.store import folder
from headway.store.folder import FolderStore


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(str(tmp_path / "root"))


def files(store: FolderStore) -> list[str]:
    return sorted(str(path.relative_to(store.url)) for path in Path(store.url).rglob("*"))


def test_the_root_is_made_when_something_is_written(store: FolderStore) -> None:
    assert list(store.list("")) == []
    assert not Path(store.url).exists()
    store.put("a/b", b"x")
    assert files(store) == ["a", "a/b"]


def test_a_relative_root_does_not_move_with_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = FolderStore("root")
    monkeypatch.chdir("/")
    store.put("a", b"x")
    assert (tmp_path / "root" / "a").read_bytes() == b"x"


def test_deleting_removes_empty_folders_but_not_the_root(store: FolderStore) -> None:
    store.put("a/b/c", b"x")
    store.put("a/d", b"x")
    store.delete(["a/b/c"])
    assert files(store) == ["a", "a/d"]
    store.delete(["a/d"])
    assert files(store) == []
    assert Path(store.url).is_dir()


def test_a_folder_is_not_an_object(store: FolderStore) -> None:
    store.put("a/b", b"x")
    store.delete(["a"])
    assert store.get("a/b") == b"x"
    with pytest.raises(StoreError, match="a key cannot be the folder of another"):
        store.put("a", b"x")
    with pytest.raises(StoreError, match="a key cannot be the folder of another"):
        store.put("a/b/c", b"x")
    with pytest.raises(KeyExistsError):
        store.put_if_absent("a", b"x")


def test_half_written_objects_and_locks_are_never_listed(store: FolderStore) -> None:
    store.put("a/b", b"x")
    store.replace("a/b", b"y", store.get_tagged("a/b")[1])
    (Path(store.url) / "a" / ".headway~0123").write_bytes(b"half")
    assert [info.key for info in store.list("")] == ["a/b"]
    assert [info.key for info in store.list(".locks")] == []


@pytest.mark.parametrize("key", [".locks/a", ".headway~x", "a/.headway~x/b"])
def test_reserved_names_are_refused(store: FolderStore, key: str) -> None:
    with pytest.raises(ValueError, match="is reserved"):
        store.put(key, b"x")


def test_a_failed_write_leaves_nothing(store: FolderStore) -> None:
    store.put("a", b"old")
    with pytest.raises(TypeError):
        store.put("a", [b"new", "text"])  # type: ignore[list-item]
    assert store.get("a") == b"old"
    assert files(store) == ["a"]


def test_a_reader_sees_the_old_or_the_new_object(store: FolderStore) -> None:
    one, two = b"1" * 100_000, b"2" * 100_000
    store.put("a", one)
    done = threading.Event()

    def write() -> None:
        for _ in range(50):
            store.put("a", two)
            store.put("a", one)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        assert store.get("a") in (one, two)
    writer.join()


def test_writers_survive_the_deletion_of_their_folder(store: FolderStore) -> None:
    failures: list[Exception] = []

    def work(number: int) -> None:
        try:
            for _ in range(100):
                store.put(f"deep/er/{number}", b"x")
                store.delete([f"deep/er/{number}"])
        except Exception as error:
            failures.append(error)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    assert files(store) == []


class Linkless(FolderStore):
    """On a file system that has no hard links."""

    tries = 0

    def _link(self, temporary: str, path: str) -> None:
        self.tries += 1
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def test_a_file_system_without_hard_links_is_found_out_once(tmp_path: Path) -> None:
    store = Linkless(str(tmp_path))
    store.put_if_absent("a", b"x")
    store.put_if_absent("b", b"x")
    with pytest.raises(KeyExistsError):
        store.put_if_absent("a", b"y")
    assert store.get("a") == b"x"
    assert store.tries == 1


def test_other_failures_of_a_link_are_failures(tmp_path: Path) -> None:
    class Full(FolderStore):
        def _link(self, temporary: str, path: str) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store = Full(str(tmp_path))
    with pytest.raises(StoreUnavailableError, match="No space left") as caught:
        store.put_if_absent("a", b"x")
    assert "Make room" in str(caught.value)
    assert files(store) == []


def test_an_unwritable_root_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = FolderStore(str(tmp_path / "file" / "root"))
    with pytest.raises(StoreError, match="file/root"):
        store.put("a", b"x")
    with pytest.raises(StoreError, match="file/root"):
        store.put_if_absent("a", b"x")
    with pytest.raises(KeyNotFoundError):
        store.get("a")


def test_a_root_without_permission_is_named(tmp_path: Path) -> None:
    class Locked(FolderStore):
        def _link(self, temporary: str, path: str) -> None:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    with pytest.raises(StoreConfigurationError, match="Permission denied") as caught:
        Locked(str(tmp_path)).put_if_absent("a", b"x")
    assert f"Make {tmp_path} writable" in str(caught.value)


def test_a_read_only_file_system_is_named() -> None:
    store = FolderStore("/proc/headway")
    with pytest.raises(StoreError, match="/proc/headway"):
        store.put("a", b"x")


def test_a_name_that_is_too_long_is_told(store: FolderStore) -> None:
    with pytest.raises(StoreError, match="too long"):
        store.put("x" * 300, b"x")


def test_large_listings_stop_where_the_reader_stops(store: FolderStore) -> None:
    for number in range(30):
        store.put(f"{number:02}/x", b"x")
    listing = store.list("", after="27/x")
    assert next(listing).key == "28/x"
    store.delete(["29/x"])
    assert list(listing) == []


def test_replace_is_atomic_between_processes(store: FolderStore) -> None:
    store.put("count", b"0")
    children = []
    for _ in range(3):
        pid = os.fork()
        if pid == 0:  # pragma: no cover
            for _ in range(20):
                while True:
                    data, tag = store.get_tagged("count")
                    try:
                        store.replace("count", b"%d" % (int(data) + 1), tag)
                        break
                    except KeyExistsError:
                        continue
            os._exit(0)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0, 0]
    assert store.get("count") == b"60"


def test_a_link_that_was_made_although_the_answer_says_otherwise_counts(tmp_path: Path) -> None:
    class Distant(FolderStore):
        """NFS, where the first answer was lost and the request was sent again."""

        def _link(self, temporary: str, path: str) -> None:
            super()._link(temporary, path)
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)

    store = Distant(str(tmp_path))
    store.put_if_absent("a", b"ours")
    with pytest.raises(KeyExistsError):
        FolderStore(str(tmp_path)).put_if_absent("a", b"theirs")
    assert (store.get("a"), files(store)) == (b"ours", ["a"])


def test_a_file_that_is_replaced_while_it_is_read_is_read_anew(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []
    read_once = folder._read_once

    def stale_at_first(path: str, start: int, end: int | None) -> bytes:
        tries.append(path)
        if len(tries) < 3:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), path)
        return read_once(path, start, end)

    monkeypatch.setattr(folder, "_read_once", stale_at_first)
    store.put("a", b"x")
    assert store.get("a") == b"x"
    assert len(tries) == 3


@pytest.mark.parametrize("what", ["a file", "a link to nothing", "below a file", "nowhere that can be"])
def test_a_root_that_cannot_be_a_folder_is_told_with_what_to_type(tmp_path: Path, what: str) -> None:
    root = tmp_path / "root"
    if what in ("a file", "below a file"):
        root.touch()
    elif what == "a link to nothing":
        root.symlink_to(tmp_path / "gone" / "root")
    place = {"below a file": root / "sub", "nowhere that can be": Path("/proc/nowhere")}.get(what, root)
    store = FolderStore(str(place))
    with pytest.raises(StoreConfigurationError) as caught:
        store.put_if_absent("a/b", b"x")
    assert caught.value.exit_code == 2
    told = "is no folder" if what in ("a file", "a link to nothing") else "cannot be made"
    assert f"the datastore {place} {told}" in caught.value.message
    assert "--datastore-root=/path" in (caught.value.hint or "")
    assert list(store.list("")) == []


def test_a_folder_that_passes_no_locks_on_is_told_as_the_datastores_trouble(tmp_path: Path) -> None:
    class Lockless(FolderStore):
        def _take(self, handle: int) -> None:
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    store = Lockless(str(tmp_path))
    store.put("a", b"one")
    _, tag = store.get_tagged("a")
    with pytest.raises(StoreUnavailableError, match=r"locking a in the datastore .*: No locks available"):
        store.replace("a", b"two", tag)
    assert store.get("a") == b"one"
