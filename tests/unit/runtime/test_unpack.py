"""The bundle in a pod: unpacked as it was packed, and refused where it is not what it should be."""

import hashlib
import io
import tarfile
from pathlib import Path

import pytest
from runtime_cases import CODE, FLOW, make_batch

from headway.errors import KeyNotFoundError, StoreError
from headway.runtime.unpack import unpack_bundle
from headway.store import layout
from headway.store.batch import Batch
from headway.testing.memory_store import MemoryStore


def packed(*members: tarfile.TarInfo | str, mode: str = "w:gz") -> bytes:
    """An archive of these members; a name stands for a file that holds its own name."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:
        for member in members:
            info = tarfile.TarInfo(member) if isinstance(member, str) else member
            content = info.name.encode() if info.isreg() else b""
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def shipped(data: bytes) -> tuple[MemoryStore, Batch]:
    """A store that holds the bundle, and a batch that names it."""
    store, digest = MemoryStore(), hashlib.sha256(data).hexdigest()
    store.put(layout.code(FLOW, digest), data)
    return store, make_batch(code=CODE._replace(bundle=digest))


def test_files_and_folders_come_out_as_they_went_in(tmp_path: Path) -> None:
    script = tarfile.TarInfo("bin/run.sh")
    script.mode = 0o750
    store, batch = shipped(
        packed("flow.py", "package/inner/module.py", script, special("empty", tarfile.DIRTYPE))
    )
    root = Path(unpack_bundle(store, batch, str(tmp_path)))
    assert root == tmp_path / "code"
    assert (root / "flow.py").read_text() == "flow.py"
    assert (root / "package/inner/module.py").read_text() == "package/inner/module.py"
    assert (root / "empty").is_dir()
    assert (root / "bin/run.sh").stat().st_mode & 0o777 == 0o755
    assert (root / "flow.py").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("y" * 97 + ".py", tarfile.USTAR_FORMAT),
        ("y" * 98 + ".py", tarfile.GNU_FORMAT),
        ("folder/" * 14 + "x" * 80 + ".py", tarfile.USTAR_FORMAT),
        ("folder/" * 14 + "x" * 80 + ".py", tarfile.GNU_FORMAT),
        ("ü/" * 40 + "x" * 150 + ".py", tarfile.GNU_FORMAT),
    ],
)
def test_long_names_are_whole(tmp_path: Path, name: str, form: int) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=form) as tar:
        tar.addfile(tarfile.TarInfo(name))
    store, batch = shipped(buffer.getvalue())
    assert (Path(unpack_bundle(store, batch, str(tmp_path))) / name).exists()


def test_a_second_unpacking_in_the_same_place_is_no_trouble(tmp_path: Path) -> None:
    store, batch = shipped(packed("flow.py"))
    unpack_bundle(store, batch, str(tmp_path))
    assert unpack_bundle(store, batch, str(tmp_path)) == str(tmp_path / "code")


@pytest.mark.parametrize(
    "member",
    [
        "../outside.py",
        "package/../../outside.py",
        "/tmp/outside.py",
        special("link", tarfile.SYMTYPE, "/etc"),
        special("hard", tarfile.LNKTYPE, "flow.py"),
        special("device", tarfile.CHRTYPE),
        special("pipe", tarfile.FIFOTYPE),
        special("../folder", tarfile.DIRTYPE),
        special("code-evil/../../code-evil", tarfile.DIRTYPE),
    ],
    ids=lambda member: member if isinstance(member, str) else member.name,
)
def test_what_points_elsewhere_is_refused(tmp_path: Path, member: tarfile.TarInfo | str) -> None:
    store, batch = shipped(packed(member))
    with pytest.raises(StoreError, match="must not hold"):
        unpack_bundle(store, batch, str(tmp_path / "work"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["work"]
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["code"]


def test_a_damaged_bundle_is_refused_and_nothing_is_unpacked(tmp_path: Path) -> None:
    store, batch = shipped(packed("flow.py"))
    store.put(layout.code(FLOW, batch.code.bundle), packed("other.py"))
    with pytest.raises(StoreError, match="damaged"):
        unpack_bundle(store, batch, str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(KeyNotFoundError):
        unpack_bundle(MemoryStore(), make_batch(code=CODE._replace(bundle="0" * 64)), str(tmp_path))
