"""Which Python stands in for images: the cluster's, or the one of whoever started the pod."""

import os
import sys
from dataclasses import replace
from pathlib import Path

from headway.launch.steps import HOST_PYTHON
from headway.localcluster.node.host import PYTHON, Interpreter


def python(folder: Path, *names: str) -> str:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return str(folder / names[0])


def test_launcher_and_cluster_mean_the_same_annotation() -> None:
    assert HOST_PYTHON == PYTHON


def test_a_pod_names_the_python_of_its_launcher(tmp_path: Path) -> None:
    own = replace(Interpreter.prepare(sys.executable, tmp_path / "own"), yields=tmp_path / "bin")
    theirs = python(tmp_path / "theirs", "python", "python3")
    found = own.for_pod({PYTHON: theirs})
    assert (found.path, found.folder) == (theirs, str(tmp_path / "theirs"))
    assert found.command(["python", "-V"]) == [theirs, "-V"]


def test_one_that_lacks_a_name_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    own = replace(Interpreter.prepare(sys.executable, tmp_path / "own"), yields=tmp_path / "bin")
    theirs = python(tmp_path / "theirs", "python3.9")
    found = own.for_pod({PYTHON: theirs})
    assert found.folder.startswith(str(tmp_path / "bin"))
    assert all(os.access(Path(found.folder) / name, os.X_OK) for name in ("python", "python3"))


def test_the_clusters_own_stays_where_none_is_named_or_none_is_there(tmp_path: Path) -> None:
    own = replace(Interpreter.prepare(sys.executable, tmp_path / "own"), yields=tmp_path / "bin")
    assert own.for_pod({}) is own
    assert own.for_pod({PYTHON: str(tmp_path / "gone")}) is own


def test_one_that_was_chosen_for_the_cluster_yields_to_none(tmp_path: Path) -> None:
    own = Interpreter.prepare(sys.executable, tmp_path / "own")
    assert own.for_pod({PYTHON: python(tmp_path / "theirs", "python", "python3")}) is own
