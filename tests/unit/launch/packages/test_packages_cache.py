"""Sets of packages from a resolver to a pod's folder: kept once, sent once, the same there as here."""

import json
import os
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from wheels import index_of, make_wheel

from headway.errors import StoreError, UsageError
from headway.launch.packages import parts
from headway.launch.packages.cache import PackageCache, Resolved, cache_folder
from headway.launch.packages.ship import package_lines, ship_packages
from headway.launch.packages.wanted import Target, Wanted
from headway.runtime.packages import fetch_packages, unpack_part
from headway.store import layout
from headway.store.batch import Packages
from headway.testing.memory_store import MemoryStore

HERE = "{}.{}".format(*sys.version_info[:2])
POD = Target(HERE, "x86_64", "glibc")
LOCAL = Target(HERE)
WANTED = Wanted(("upper==1.0",), POD)


class Notes:
    """Hears what ships."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)


class Installs:
    """Stands for the resolver: a package of two modules, a script, a data file that fills several parts."""

    def __init__(self) -> None:
        self.calls = 0
        self.native = False

    def __call__(self, wanted: Wanted, site: Path) -> None:
        self.calls += 1
        (site / "upper").mkdir()
        (site / "upper" / "__init__.py").write_text("from upper.inner import VALUE\n")
        (site / "upper" / "inner.py").write_text("VALUE = 7\n")
        (site / "upper" / "empty.txt").write_text("")
        (site / "upper" / "large.bin").write_bytes(bytes(range(256)) * 100)
        (site / "bin").mkdir()
        script = site / "bin" / "upper"
        script.write_text("#!/here/python3\nimport upper\nprint(upper.VALUE)\n")
        script.chmod(0o755)
        info = site / "upper-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: upper\nVersion: 1.0\n\nName: of no matter\n"
        )
        tag = "cp311-cp311-linux_x86_64" if self.native else "py3-none-any"
        (info / "WHEEL").write_text(f"Tag: {tag}\n")
        (site / ".lock").write_text("")


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_PART", 10_000)


@pytest.fixture
def installs() -> Installs:
    return Installs()


@pytest.fixture
def cache(tmp_path: Path, installs: Installs) -> PackageCache:
    return PackageCache(tmp_path / "cache", {}, installs)


def fetched(store: MemoryStore, packages: Packages, folder: Path) -> Path:
    return Path(fetch_packages(store, "Sample", packages, str(folder)))


def test_what_a_pod_unpacks_is_what_was_installed(cache: PackageCache, tmp_path: Path) -> None:
    store, notes = MemoryStore(), Notes()
    packages = ship_packages(store, "Sample", {"train": WANTED}, cache, notes)["train"]
    assert (packages.python, packages.machine, packages.folder) == (HERE, "", "")
    folder = fetched(store, packages, tmp_path / "pod")
    assert (folder / "upper" / "large.bin").read_bytes() == bytes(range(256)) * 100
    assert (folder / "upper" / "empty.txt").read_bytes() == b""
    assert (folder / "bin" / "upper").read_text().startswith("#!/usr/bin/env python3\n")
    assert os.access(folder / "bin" / "upper", os.X_OK)
    assert not os.access(folder / "upper" / "inner.py", os.X_OK)
    assert not (folder / ".lock").exists()
    assert notes.notes[0] == f"Packages: resolving upper==1.0 for Python {HERE}, linux/x86_64."
    assert notes.notes[1].startswith("Packages: 1 for step train, ")
    assert not notes.notes[1].endswith("(cached).")


def test_no_module_is_compiled_in_a_pod(cache: PackageCache, tmp_path: Path) -> None:
    store = MemoryStore()
    packages = ship_packages(store, "Sample", {"train": WANTED}, cache, Notes())["train"]
    folder = fetched(store, packages, tmp_path / "pod")
    (folder / "upper" / "inner.py").write_text("no Python at all")
    command = [sys.executable, "-c", "import upper; print(upper.VALUE)"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout == "7\n"


def test_a_set_is_resolved_and_sent_once(cache: PackageCache, installs: Installs) -> None:
    store, notes = MemoryStore(), Notes()
    first = ship_packages(store, "Sample", {"train": WANTED, "test": WANTED}, cache, notes)
    assert first["train"] == first["test"]
    assert installs.calls == 1
    assert "for steps train, test, " in notes.notes[-1]
    store.calls.clear()
    assert ship_packages(store, "Sample", {"train": WANTED}, cache, notes)["train"] == first["train"]
    assert [method for method, _ in store.calls] == ["size"]
    assert notes.notes[-1].endswith(" (cached).")
    assert installs.calls == 1
    ship_packages(store, "Sample", {"train": WANTED}, cache, notes, anew=True)
    assert installs.calls == 2


def test_a_set_that_another_launcher_was_quicker_with_stays_where_it_is(tmp_path: Path) -> None:
    """Steps of its run may be importing from there at this moment."""
    quick = Installs()
    other = PackageCache(tmp_path / "cache", {}, quick)
    first: list[Resolved] = []
    inode: list[int] = []

    def slow(wanted: Wanted, site: Path) -> None:
        first.append(other.resolve(wanted))
        inode.append((first[0].folder / "set.json").stat().st_ino)
        quick(wanted, site)

    second = PackageCache(tmp_path / "cache", {}, slow).resolve(WANTED)
    assert second == replace(first[0], cached=True)
    assert inode == [(second.folder / "set.json").stat().st_ino]
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [second.folder.name]


def test_the_list_of_parts_comes_last(cache: PackageCache) -> None:
    store = MemoryStore()
    packages = ship_packages(store, "Sample", {"train": WANTED}, cache, Notes())["train"]
    puts = [key for method, key in store.calls if method == "put"]
    assert puts[-1] == layout.packages("Sample", packages.sha256)
    assert len(puts) > 3


def test_what_is_built_for_a_machine_says_so(cache: PackageCache, installs: Installs) -> None:
    installs.native = True
    assert cache.resolve(WANTED).packages[1:4] == (HERE, "x86_64", "glibc")


def test_other_indexes_are_other_sets(cache: PackageCache, installs: Installs, tmp_path: Path) -> None:
    cache.resolve(WANTED)
    other = PackageCache(tmp_path / "cache", {"PIP_INDEX_URL": "https://other"}, installs)
    assert other.find(WANTED) is None
    assert cache.find(WANTED) is not None
    assert cache.find(Wanted(WANTED.requirements, LOCAL)) is None


def test_on_this_machine_they_stay_in_the_cache(cache: PackageCache) -> None:
    store = MemoryStore()
    packages = ship_packages(store, "Sample", {"train": Wanted(("upper",), LOCAL)}, cache, Notes())["train"]
    assert store.calls == []
    assert Path(packages.folder, "upper", "inner.py").exists()


def test_a_set_that_fails_to_resolve_leaves_nothing(tmp_path: Path) -> None:
    def fails(_: Wanted, site: Path) -> None:
        (site / "half.py").write_text("")
        raise UsageError("no")

    cache = PackageCache(tmp_path / "cache", {}, fails)
    with pytest.raises(UsageError, match="no"):
        cache.resolve(WANTED)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_damaged_cache_is_resolved_again(cache: PackageCache, installs: Installs) -> None:
    (cache.resolve(WANTED).folder / "set.json").write_text("{")
    assert cache.find(WANTED) is None
    assert cache.resolve(WANTED).versions == ("upper 1.0",)
    assert installs.calls == 2


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, installs: Installs) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot be kept in .*file/packages"):
        PackageCache(tmp_path / "file" / "packages", {}, installs).resolve(WANTED)


def test_damaged_parts_are_refused(cache: PackageCache, tmp_path: Path) -> None:
    store = MemoryStore()
    packages = ship_packages(store, "Sample", {"train": WANTED}, cache, Notes())["train"]
    part = cache.resolve(WANTED).parts[0]
    store.put(layout.packages("Sample", part), b"other")
    with pytest.raises(StoreError, match="damaged"):
        fetched(store, packages, tmp_path / "pod")


def test_nothing_is_written_outside_the_folder(tmp_path: Path) -> None:
    evil = zlib.compress(json.dumps([["../evil.py", False, 0, 1]]).encode() + b"\nx")
    with pytest.raises(StoreError, match=r"\.\./evil\.py"):
        unpack_part(evil, str(tmp_path / "folder"))
    assert not (tmp_path / "evil.py").exists()


def test_what_is_listed_before_and_after_it_is_resolved(cache: PackageCache) -> None:
    (before,) = package_lines({"train": WANTED}, cache)
    assert "upper==1.0 (not resolved yet)" in before
    cache.resolve(WANTED)
    (after,) = package_lines({"train": WANTED}, cache)
    assert "upper 1.0  (step train, " in after


def test_the_cache_stands_where_caches_stand(tmp_path: Path) -> None:
    assert cache_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "headway" / "packages"
    assert cache_folder({}) == Path.home() / ".cache" / "headway" / "packages"


def test_a_real_resolver_fills_it(tmp_path: Path) -> None:
    make_wheel(tmp_path / "index", "upper", requires="lower")
    make_wheel(tmp_path / "index", "lower", "2.0")
    cache = PackageCache(tmp_path / "cache", {**os.environ, **index_of(tmp_path / "index")})
    resolved = cache.resolve(WANTED)
    assert resolved.versions == ("lower 2.0", "upper 1.0")
    assert resolved.packages.machine == ""
    assert not resolved.cached
