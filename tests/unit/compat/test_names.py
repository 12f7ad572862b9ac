"""Every name of Metaflow's that code imports is there, or says what to use instead: nothing in between."""

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from headway.config.fields import settings_of
from headway.config.kubernetes import KubernetesSettings
from headway.datatools.buckets import THREADS
from headway.errors import HeadwayError, UsageError
from headway.launch.spin_task import _HEARD
from headway.runtime.type_names import type_name
from headway.store.net.retries import RetryPolicy

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


def test_what_nobody_set_has_a_default_of_metaflows_type(metaflow: ModuleType) -> None:
    settings = importlib.import_module("metaflow.metaflow_config")
    kinds = {
        "S3_RETRY_COUNT": int, "DEBUG_S3CLIENT": bool, "DEFAULT_DATASTORE": str, "DATASTORE_LOCAL_DIR": str,
        "MAX_ATTEMPTS": int, "KUBERNETES_NAMESPACE": str, "SERVICE_HEADERS": dict, "SPIN_ALLOWED_DECORATORS": list,
        "DEFAULT_METADATA": str, "TEMPDIR": str, "UI_URL": type(None), "KUBERNETES_CPU": type(None),
    }  # fmt: skip
    assert {name: type(getattr(settings, name)) for name in kinds} == kinds


def test_defaults_of_what_is_read_are_what_holds_here(metaflow: ModuleType) -> None:
    settings = importlib.import_module("metaflow.metaflow_config")
    ours = {
        variable: setting.written_default
        for setting in settings_of(KubernetesSettings).values()
        for variable in setting.variables
    }
    for name, value in settings._DEFAULTS.items():
        if ours.get(name):
            assert str(value) == str(ours[name]), name
    assert settings.S3_WORKER_COUNT == THREADS
    retries: int = settings.S3_RETRY_COUNT
    assert retries == RetryPolicy().tries - 1
    assert set(settings.SPIN_ALLOWED_DECORATORS) == _HEARD


def test_what_is_set_is_of_the_defaults_type(
    metaflow: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = importlib.import_module("metaflow.metaflow_config")
    headers = {"x": "y"}
    (tmp_path / "config.json").write_text(
        json.dumps(
            {"METAFLOW_SERVICE_HEADERS": headers, "METAFLOW_DEBUG_CONDA": True, "METAFLOW_USER": "ann"}
        )
    )
    monkeypatch.setenv("METAFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("METAFLOW_S3_RETRY_COUNT", "3")
    monkeypatch.setenv("METAFLOW_DEBUG_S3CLIENT", "1")
    monkeypatch.setenv("METAFLOW_DATASTORE_SYSROOT_S3", "s3://bucket/mf/")
    monkeypatch.delenv("METAFLOW_DATATOOLS_S3ROOT", raising=False)
    assert (settings.S3_RETRY_COUNT, settings.DEBUG_S3CLIENT, settings.DEBUG_SIDECAR) == (3, True, False)
    found = settings.SERVICE_HEADERS, settings.DEBUG_CONDA
    assert found == (headers, True)
    assert settings.DATATOOLS_S3ROOT == "s3://bucket/mf/data"
    monkeypatch.setenv("METAFLOW_S3_RETRY_COUNT", "many")
    with pytest.raises(ValueError, match="METAFLOW_S3_RETRY_COUNT has to be a whole number, and is 'many'"):
        _ = settings.S3_RETRY_COUNT


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


def test_the_types_of_errors_are_told_by_metaflows_names(metaflow: ModuleType) -> None:
    names: dict[str, str] = importlib.import_module("metaflow._error_names").ERROR_NAMES
    told = {}
    for ours, theirs in names.items():
        (here, name), (there, alias) = (each.rsplit(".", 1) for each in (ours, theirs))
        kind = getattr(importlib.import_module(here), name)
        assert kind is getattr(importlib.import_module(there), alias), theirs
        told[theirs] = type_name(kind.__new__(kind))
    assert told == {theirs: theirs for theirs in names.values()}

    class Mine(HeadwayError):
        pass

    assert type_name(Mine()).endswith("<locals>.Mine")
    del sys.modules["metaflow"]
    assert type_name(HeadwayError()) == "headway.errors.HeadwayError", (
        "a flow that is not written for Metaflow"
    )
