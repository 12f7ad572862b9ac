"""Which of this very process's modules count as a person's own."""

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from headway.launch.bundle.loaded import installed_folders, own_units, snapshot


def test_of_this_process_neither_python_nor_installed_packages_are_own(tmp_path: Path) -> None:
    names = {unit.name.partition(".")[0] for unit in own_units(snapshot(), installed_folders(), tmp_path)}
    assert names.isdisjoint(
        {"os", "json", "pytest", "pathspec", "encodings", "headway", "_pytest", "__main__"}
    )
    assert __name__ in names


def test_a_snapshot_holds_modules_with_a_place() -> None:
    found = {module.name: module for module in snapshot()}
    file = Path(json.__file__)
    assert (found["json"].file, found["json"].folders) == (file, (file.parent,))
    assert "sys" not in found


def test_stand_ins_that_refuse_to_be_looked_at_are_passed_over() -> None:
    class Stubborn(ModuleType):
        def __getattr__(self, name: str) -> object:
            if name == "__path__":
                raise RuntimeError("not loaded yet")
            raise AttributeError(name)

    assert snapshot({"stubborn": Stubborn("stubborn"), "nothing": None}) == ()


def test_a_package_installed_as_a_link_to_its_source_is_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "project/src/editable_pkg"
    source.mkdir(parents=True)
    (source / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(source.parent))
    monkeypatch.delitem(sys.modules, "editable_pkg", raising=False)
    __import__("editable_pkg")
    units = {unit.name: unit for unit in own_units(snapshot(), installed_folders(), tmp_path / "flows")}
    monkeypatch.delitem(sys.modules, "editable_pkg")
    assert units["editable_pkg"].place == source
    assert units["editable_pkg"].base == source.parent
