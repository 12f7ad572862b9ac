"""The package of aliases as a flow file meets it: importable, and gone again after each test.

``pytest tests/unit/compat --update-seeds`` writes the golden files of the seeds anew.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

TESTS = Path(__file__).parents[2]
SOURCE, ZENML = (TESTS.parent / "compat" / name / "src" for name in ("metaflow", "zenml"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-seeds", action="store_true", help="write the golden files of the seeds anew")


@pytest.fixture
def update_seeds(request: pytest.FixtureRequest) -> bool:
    # The option exists only where this folder was named on the command line.
    return bool(request.config.getoption("--update-seeds", default=False))


@pytest.fixture
def source() -> Path:
    """The import folder that holds the package."""
    return SOURCE


@pytest.fixture
def metaflow(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The package, imported anew."""
    monkeypatch.syspath_prepend(str(SOURCE))
    forget()
    # Where the real one is installed too, as for a benchmark, it is not looked for here.
    with monkeypatch.context() as patch:
        patch.setenv("HEADWAY_IN_TASK", "1")
        package = __import__("metaflow")
    yield package
    forget()


@pytest.fixture
def zenml(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The package of ZenML's names, imported anew."""
    monkeypatch.syspath_prepend(str(ZENML))
    forget("zenml")
    yield __import__("zenml")
    forget("zenml")


def forget(package: str = "metaflow") -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[name]
