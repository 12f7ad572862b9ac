"""Beside the real Metaflow the import stops and says what to type."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

LINE = "from metaflow import FlowSpec; print(FlowSpec.__module__)"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder that a Metaflow was installed into, as far as its metadata tells."""
    info = tmp_path / "site" / "metaflow-2.19.39.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: metaflow\nVersion: 2.19.39\n")
    return info.parent


def python(program: str, *folders: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    ours = str(Path(__file__).parents[3] / "src")
    path = os.pathsep.join([*map(str, folders), ours])
    return subprocess.run(
        [sys.executable, "-S", "-c", program],
        env={"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_real_one_is_named(source: Path, installed: Path) -> None:
    done = python(LINE, source, installed)
    assert done.returncode == 1
    said = done.stderr.splitlines()[-1]
    assert said.startswith(
        "ImportError: Metaflow 2.19.39 and headway-metaflow are installed in the same environment"
    )
    assert "pip uninstall metaflow headway-metaflow" in said


def test_in_a_task_nobody_looks(source: Path, installed: Path) -> None:
    done = python(LINE, source, installed, HEADWAY_IN_TASK="1")
    assert done.stdout == "headway.flow.spec\n", done.stderr


@pytest.mark.parametrize(
    "name", ["headway_metaflow-0.1.0.dist-info", "metaflow_card_html-1.0.dist-info", "metaflow"]
)
def test_other_names_are_no_metaflow(source: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "site" / name).mkdir(parents=True)
    done = python(LINE, source, tmp_path / "site")
    assert done.stdout == "headway.flow.spec\n", done.stderr


def test_a_folder_that_only_looks_like_it_is_none(source: Path, tmp_path: Path) -> None:
    (tmp_path / "metaflow-notes.dist-info").mkdir()
    assert python(LINE, source, tmp_path).returncode == 0


def test_looking_costs_no_heavy_import(source: Path) -> None:
    done = python("import sys, metaflow; print('importlib.metadata' in sys.modules)", source)
    assert done.stdout == "False\n", done.stderr
