"""Every name of Metaflow's that code imports is there, or says what to use instead: nothing in between."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from headway.errors import HeadwayError, UsageError

LIST = Path(__file__).with_name("metaflow_names.txt")
NOTICE = "Headway does not have metaflow."


def listed() -> Iterator[tuple[str, str]]:
    """The modules, and the names of each."""
    for line in LIST.read_text().splitlines():
        if not line.startswith("#"):
            module, _, names = line.partition(":")
            for name in names.split() or [""]:
                yield module, name


def answer(module: str, name: str) -> str:
    """What importing a name comes to: "there", "notice", or what went wrong."""
    try:
        found = importlib.import_module(module)
        if name:
            getattr(found, name)
    except ImportError as error:
        return "notice" if str(error).startswith(NOTICE) else repr(error)
    except Exception as error:
        return repr(error)
    return "there"


def test_every_name_is_there_or_says_what_to_use(metaflow: ModuleType) -> None:
    answers = {(module, name): answer(module, name) for module, name in listed()}
    wrong = {key: told for key, told in answers.items() if told not in ("there", "notice")}
    assert wrong == {}
    # Those of the package itself are all there but for the ones that are parts of its inside.
    inner = importlib.import_module("metaflow._missing").INNER
    top = {name for (module, name), told in answers.items() if module == "metaflow" and told == "notice"}
    assert top == inner
    assert sum(told == "there" for told in answers.values()) > 400


def test_exceptions_of_different_meaning_are_different_classes(metaflow: ModuleType) -> None:
    kinds: dict[type, set[str]] = {}
    for module, name in listed():
        kind = (
            getattr(importlib.import_module(module), name)
            if answer(module, name) == "there" and name
            else None
        )
        if isinstance(kind, type) and issubclass(kind, HeadwayError):
            kinds.setdefault(kind, set()).add(name)
    assert len(kinds) > 50
    assert {kind: names for kind, names in kinds.items() if len(names) > 1} == {}


def test_a_module_of_the_inside_says_so(metaflow: ModuleType) -> None:
    with pytest.raises(
        ModuleNotFoundError, match=r"metaflow\.plugins\.argo\.argo_client\. Let a scheduler"
    ) as caught:
        importlib.import_module("metaflow.plugins.argo.argo_client")
    assert caught.value.name == "metaflow.plugins.argo.argo_client"


def test_settings_are_read_by_their_names(metaflow: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAFLOW_DATATOOLS_S3ROOT", "s3://bucket/data")
    monkeypatch.delenv("METAFLOW_NOBODY_SETS_THIS", raising=False)
    settings = importlib.import_module("metaflow.metaflow_config")
    assert settings.DATATOOLS_S3ROOT == "s3://bucket/data"
    assert settings.NOBODY_SETS_THIS is None


def test_who_runs_this(metaflow: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAFLOW_USER", "ann")
    monkeypatch.delenv("HEADWAY_USER", raising=False)
    assert importlib.import_module("metaflow.util").get_username() == "ann"


def test_deployers_of_their_own_modules_say_it_when_used(metaflow: ModuleType) -> None:
    deployer = importlib.import_module("metaflow.runner.deployer").Deployer
    with pytest.raises(UsageError, match=r"Headway does not have metaflow\.runner\.deployer\.Deployer"):
        deployer("flow.py")


def test_the_finder_is_there_once(metaflow: ModuleType) -> None:
    import sys

    importlib.import_module("metaflow._finder").install()
    assert len([each for each in sys.meta_path if getattr(each, "__module__", "") == "metaflow._finder"]) == 1


@pytest.mark.parametrize(
    "line",
    [
        "from metaflow.plugins import kubernetes",
        "from metaflow.plugins.aws.batch import batch; batch.BatchException",
        "from metaflow.runner import nbrun",
        "from metaflow import events, plugins, util",
    ],
)
def test_modules_are_imported_from_their_packages(metaflow: ModuleType, line: str) -> None:
    exec(line, {})
