"""Stores against a dictionary: whatever is done to both, both answer the same."""

import shutil
import tempfile
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from headway.errors import KeyExistsError, KeyNotFoundError
from headway.store.base import ObjectStore
from headway.store.folder import FolderStore
from headway.testing.memory_store import MemoryStore

# "d…" are only ever folders and "f…" only ever objects, so that no key is the folder of another.
folders = st.sampled_from(["", "d/", "d-/", "d/d/", "d/d /", "d.d/", "dd/", "dä/"])
names = st.sampled_from(["f", "f-", "f.", "f0", "ff", "fé", "f f", "f+%="])
keys = st.builds("".join, st.tuples(folders, names))
prefixes = keys | folders | st.sampled_from(["d", "f", "d/f", "d/d", "nothing", "d/d/f/"])
contents = st.binary(max_size=20)


class StoreMachine(RuleBasedStateMachine):
    """Does the same to a store and to a dictionary."""

    store: ObjectStore
    model: dict[str, bytes]
    #: Tags as the store gave them, with the version they stand for; some are of versions long gone.
    tags: list[tuple[str, str, bytes]]

    def open(self) -> ObjectStore:
        raise NotImplementedError

    @initialize()
    def start(self) -> None:
        self.store, self.model, self.tags = self.open(), {}, []

    @rule(key=keys, parts=st.lists(contents, max_size=3))
    def put(self, key: str, parts: list[bytes]) -> None:
        self.store.put(key, parts)
        self.model[key] = b"".join(parts)

    @rule(key=keys, data=contents)
    def put_if_absent(self, key: str, data: bytes) -> None:
        if key in self.model:
            with pytest.raises(KeyExistsError):
                self.store.put_if_absent(key, data)
        else:
            self.store.put_if_absent(key, data)
            self.model[key] = data

    @rule(key=keys)
    def get_tagged(self, key: str) -> None:
        if key in self.model:
            data, tag = self.store.get_tagged(key)
            assert data == self.model[key]
            self.tags.append((key, tag, data))
        else:
            with pytest.raises(KeyNotFoundError):
                self.store.get_tagged(key)

    @precondition(lambda self: self.tags)
    @rule(chosen=st.data(), data=contents)
    def replace(self, chosen: Any, data: bytes) -> None:
        key, tag, version = chosen.draw(st.sampled_from(self.tags))
        if self.model.get(key) == version:
            new = self.store.replace(key, data, tag)
            self.model[key] = data
            self.tags.append((key, new, data))
        else:
            with pytest.raises(KeyExistsError):
                self.store.replace(key, data, tag)

    @rule(key=keys)
    def get(self, key: str) -> None:
        if key in self.model:
            assert self.store.get(key) == self.model[key]
        else:
            with pytest.raises(KeyNotFoundError):
                self.store.get(key)

    @rule(key=keys, start=st.integers(0, 25), end=st.integers(0, 25))
    def get_range(self, key: str, start: int, end: int) -> None:
        if key in self.model:
            assert self.store.get_range(key, start, end) == self.model[key][start : max(start, end)]
        else:
            with pytest.raises(KeyNotFoundError):
                self.store.get_range(key, start, end)

    @rule(key=keys)
    def size(self, key: str) -> None:
        assert self.store.size(key) == (len(self.model[key]) if key in self.model else None)

    @rule(prefix=prefixes, after=st.just("") | prefixes)
    def listing(self, prefix: str, after: str) -> None:
        found = [tuple(info) for info in self.store.list(prefix, after)]
        expected = [key for key in self.model if key.startswith(prefix) and key > after]
        assert found == [(key, len(self.model[key])) for key in sorted(expected, key=str.encode)]

    @rule(chosen=st.lists(keys, max_size=4))
    def delete(self, chosen: list[str]) -> None:
        self.store.delete(chosen)
        for key in chosen:
            self.model.pop(key, None)

    @invariant()
    def everything_is_listed(self) -> None:
        if hasattr(self, "model"):
            assert {info.key for info in self.store.list("")} == set(self.model)


class MemoryMachine(StoreMachine):
    def open(self) -> ObjectStore:
        return MemoryStore()


class FolderMachine(StoreMachine):
    def open(self) -> ObjectStore:
        self.folder = tempfile.mkdtemp()
        return FolderStore(self.folder)

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)


class LinklessMachine(FolderMachine):
    def open(self) -> ObjectStore:
        self.folder = tempfile.mkdtemp()
        return FolderStore(self.folder, hard_links=False)


TestMemoryModel = MemoryMachine.TestCase
TestFolderModel = FolderMachine.TestCase
TestLinklessModel = LinklessMachine.TestCase
TestMemoryModel.settings = TestFolderModel.settings = TestLinklessModel.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None
)
