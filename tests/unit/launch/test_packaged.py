"""What a flow's mutators ask to be shipped with its code: which files, where, and what is refused."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from headway.errors import FlowDefinitionError, UsageError
from headway.flow.configure import GivenConfigs
from headway.flow.declare import declare
from headway.flow.mutate import Mutation
from headway.flow.packaged import ContentType, Packaged, package_sources, package_suffixes
from headway.flow.parameters import ParameterContext
from headway.flow.spec import FlowSpec
from headway.flow.step import step
from headway.flow.user_decorators import FlowMutator
from headway.launch.bundle.collect import IMPORTS
from headway.launch.origin import Origin
from headway.launch.shipping import BundleLimits, plan_bundle
from headway.store.batch import Code

CONTEXT = ParameterContext("Sample", "ann", "", lambda line: None, "local")


class Asking(FlowMutator):
    """Asks for what it is given."""

    def init(self, *wanted: Any) -> None:
        self.wanted = wanted

    def add_to_package(self) -> Iterator[Any]:
        yield from self.wanted


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in {
        "flows/flow.py": "x = 1\n",
        "flows/settings.yaml": "a: 1\n",
        "src/forecasting/__init__.py": "",
        "src/forecasting/deep/model.py": "y = 1\n",
        "src/forecasting/table.csv": "1\n",
        "src/one.json": "{}",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.fixture
def shipped(project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """The paths in the package of a flow with these decorators."""
    module = ModuleType("asked_flow")
    module.__file__ = str(project / "flows" / "flow.py")
    monkeypatch.setitem(sys.modules, "asked_flow", module)

    def of(*mutators: Any) -> list[str]:
        class Sample(FlowSpec):
            __module__ = "asked_flow"

            @step
            def start(self) -> None: ...

        cls: Any = Sample
        for mutator in mutators:
            cls = mutator(cls)
        asked = Mutation(declare(cls, GivenConfigs(), CONTEXT)).packaged()
        origin = Origin(Code("path", "flow.py", ("asked_flow", "Sample"), root=str(project / "flows")))
        plan = plan_bundle(origin, BundleLimits(), asked)
        assert (IMPORTS in plan.paths) == any(file.package for file in plan.files)
        return [
            file.path
            for file in plan.files
            if file.path != "flow.py" and not file.path.startswith(".headway/imp")
        ]

    return of


def test_sources_stand_under_their_names_or_where_they_are_put(shipped: Callable[..., list[str]]) -> None:
    code = ["forecasting/__init__.py", "forecasting/deep/model.py"]
    assert shipped(package_sources("../src/forecasting")) == code
    assert shipped(package_sources(["../src/forecasting", ("../src/one.json", "data/1.json")])) == [
        "data/1.json",
        *code,
    ]
    assert shipped(package_sources("../src/forecasting", arcname="lib/fc")) == [
        "lib/fc/__init__.py",
        "lib/fc/deep/model.py",
    ]
    assert shipped(package_sources(("../src/forecasting", "fc"), suffixes="csv")) == ["fc/table.csv"]


def test_further_suffixes_of_the_flows_own_folder(shipped: Callable[..., list[str]]) -> None:
    assert shipped(package_suffixes("yaml, .json")) == ["settings.yaml"]
    assert shipped(package_suffixes([".json"])) == []


def test_what_mutators_of_ones_own_ask_for(shipped: Callable[..., list[str]], project: Path) -> None:
    one = str(project / "src" / "one.json")
    assert shipped(Asking((one, "a/b.json"), (one, "c.json", ContentType.USER_CONTENT))) == [
        "a/b.json",
        "c.json",
    ]
    assert shipped(Asking()) == []


def test_what_is_to_be_imported_stands_where_packages_do(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(project / "src"))
    asked = [
        Packaged("forecasting", "", ContentType.MODULE_CONTENT),
        Packaged(str(project / "src" / "one.json"), "other/one.json", ContentType.CODE_CONTENT),
    ]
    origin = Origin(Code("path", "flow.py", ("m", "Sample"), root=str(project / "flows")))
    plan = plan_bundle(origin, BundleLimits(), asked)
    paths = [file.path for file in plan.files if "/forecasting/" in file.path or "/other/" in file.path]
    assert paths == [f"{IMPORTS}/{name}" for name in (
        "forecasting/__init__.py", "forecasting/deep/model.py", "other/one.json",
    )]  # fmt: skip
    assert IMPORTS in plan.paths
    with pytest.raises(UsageError, match="The module nowhere_at_all is to ship"):
        plan_bundle(origin, BundleLimits(), [Packaged("nowhere_at_all", "", ContentType.MODULE_CONTENT)])


@pytest.mark.parametrize(
    ("mutator", "words"),
    [
        (lambda: package_sources("../src/nothing"), "nothing is to ship .*, and is not there"),
        (lambda: package_sources(["a", "b"], arcname="c"), "names 2 sources, and one arcname"),
        (lambda: package_sources(("a", "../c")), "the place '../c' in the package"),
        (lambda: package_sources("a", arcname="/c"), "the place '/c' in the package"),
        (lambda: package_sources(("../src/one.json", "settings.yaml")), None),
        (lambda: package_sources(("../src/one.json", "flow.py")), r"one\.json is to ship as flow\.py, where .* already"),
        (lambda: Asking("one"), r"add_to_package of @.*Asking yields 'one'"),
        (lambda: Asking(("a", "b", "other")), "yields .*'other'"),
        (lambda: Asking(1 / 1), "yields 1.0"),
    ],
)  # fmt: skip
def test_what_cannot_be_shipped_is_refused(
    shipped: Callable[..., list[str]], mutator: Callable[[], Any], words: str | None
) -> None:
    if words is None:
        assert shipped(mutator()) == ["settings.yaml"], "that file does not ship by itself"
        return
    with pytest.raises((FlowDefinitionError, UsageError), match=words):
        shipped(mutator())
