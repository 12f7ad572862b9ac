"""What ``doctor`` says of this machine before it asks anybody else."""

import asyncio
from pathlib import Path

import pytest

from headway.config.sources import Configuration
from headway.executors.kubernetes.findings import BAD, GOOD, POOR, Finding
from headway.launch.doctor import Examination, examine


def findings(environ: dict[str, str], folder: Path, count: int) -> list[Finding]:
    async def first() -> list[Finding]:
        found = []
        async for finding in examine(Examination(Configuration(environ, str(folder)), embedded=True)):
            found.append(finding)
            if len(found) == count:
                break
        return found

    return asyncio.run(first())


def install(folder: Path, name: str, version: str) -> None:
    """A distribution, as far as its metadata tells."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


@pytest.mark.parametrize(
    ("installed", "grade", "said", "hint"),
    [
        (("metaflow", "headway-metaflow"), BAD, "Metaflow 9.9.9 and headway-metaflow are installed", "uninstall"),
        (("metaflow",), POOR, "gives Metaflow 9.9.9", "pip install headway-metaflow"),
        ((), GOOD, "You are ann.", ""),
    ],
)  # fmt: skip
def test_a_real_metaflow_is_named(
    installed: tuple[str, ...],
    grade: str,
    said: str,
    hint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in installed:
        install(tmp_path / "site", name, "9.9.9")
    monkeypatch.setattr("sys.path", [str(tmp_path / "site")])
    headway, second = findings({"HEADWAY_USER": "ann"}, tmp_path, 2)
    assert headway.grade == GOOD
    assert headway.what.startswith("Headway ")
    assert (second.grade, said in second.what, hint in second.hint) == (grade, True, True), second
