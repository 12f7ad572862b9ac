"""Every name is one of ours or says that it is missing: none is a silent stand-in."""

import importlib
import os
import pickle
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import headway
from headway.client import Headway
from headway.datatools import S3AccessDeniedError, S3NotFoundError
from headway.errors import FlowDefinitionError, HeadwayError, UsageError
from headway.flow import cards as no_cards
from headway.flow import events
from headway.flow.flow_decorators import flow_decorators_of
from headway.flow.merge import UnhandledInMergeArtifactsError
from headway.flow.transition import InvalidTransitionError
from headway.flow.values import JSONTypeClass
from headway.runtime.limits import StepTimeoutError

#: What `from metaflow import …` has to know, from Metaflow's own documentation of its names.
METAFLOW_NAMES = """
    FlowSpec step Parameter JSONType JSONTypeClass IncludeFile Config ConfigValue config_expr current
    parallel_map parallel_imap_unordered profile S3 UserStepDecorator StepMutator FlowMutator
    user_step_decorator USER_SKIP_STEP namespace get_namespace default_namespace metadata get_metadata
    default_metadata inspect_spin Metaflow Flow Run Step Task DataArtifact Runner NBRunner Deployer
    DeployedFlow NBDeployer cards datatools __version__ yaml_parser requirements_txt_parser
    pyproject_toml_parser conda_environment_yml_parser namespaced_event_name catch timeout environment
    secrets parallel retry resources batch kubernetes card pytorch_parallel pypi conda schedule project
    trigger trigger_on_finish pypi_base conda_base exit_hook airflow_external_task_sensor
    airflow_s3_key_sensor
"""


def modules(package: ModuleType) -> list[ModuleType]:
    found = pkgutil.walk_packages(package.__path__, "metaflow.")
    return [package, *(importlib.import_module(item.name) for item in found if "._" not in item.name)]


def test_the_names_are_ours(metaflow: ModuleType) -> None:
    ours = sorted(set(headway.__all__) & set(METAFLOW_NAMES.split()))
    assert len(ours) > 20
    assert [name for name in ours if getattr(metaflow, name) is not getattr(headway, name)] == []
    assert metaflow.Metaflow is Headway
    assert metaflow.JSONTypeClass is JSONTypeClass
    assert metaflow.__version__ == headway.__version__


def test_every_alias_of_every_module_leads_somewhere(metaflow: ModuleType) -> None:
    reached = {
        f"{module.__name__}.{name}"
        for module in modules(metaflow)
        for name in dir(module)
        if not name.startswith("_") and getattr(module, name) is not None
    }
    assert {"metaflow.FlowSpec", "metaflow.client.core.Metaflow", "metaflow.lint.LintWarn"} <= reached


def test_every_name_of_metaflows_is_known(metaflow: ModuleType) -> None:
    missing = importlib.import_module("metaflow._missing")
    known = {*dir(metaflow), *missing.NOT_YET, *missing.LEFT_TO_OTHERS, "cards", "datatools"}
    assert set(METAFLOW_NAMES.split()) - known == set()


def test_nothing_that_is_here_is_said_to_be_missing(metaflow: ModuleType) -> None:
    missing = importlib.import_module("metaflow._missing")
    here = {*headway.__all__, *(name for module in modules(metaflow) for name in dir(module))}
    assert here.isdisjoint(missing.NOT_YET), "make it an alias, and take it out of the list"
    assert here.isdisjoint(missing.LEFT_TO_OTHERS), "make it an alias, and take it out of the list"


def test_a_star_imports_what_there_is(metaflow: ModuleType) -> None:
    names: dict[str, object] = {}
    exec("from metaflow import *", names)
    assert {"FlowSpec", "step", "kubernetes", "Metaflow"} <= set(names)
    assert "echo_always" not in names


@pytest.mark.parametrize(
    ("module", "some"),
    [
        ("exception", {"MetaflowNotFound", "MetaflowException"}),
        ("client", {"Flow", "namespace"}),
        ("cards", {"Markdown", "Table"}),
        ("plugins.cards.card_modules.components", {"Markdown"}),
    ],
)
def test_a_star_imports_what_a_module_has(metaflow: ModuleType, module: str, some: set[str]) -> None:
    names: dict[str, object] = {}
    exec(f"from metaflow.{module} import *", names)
    assert some <= set(names)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("import metaflow; metaflow.echo_always", r"does not have metaflow\.echo_always\. Use print"),
        ("from metaflow import Flowspec", "cannot import name 'Flowspec' from 'metaflow'"),
    ],
)
def test_importing_what_is_not_there_yet_is_one_clear_error(
    metaflow: ModuleType, line: str, words: str
) -> None:
    with pytest.raises(ImportError, match=words):
        exec(line, {})


@pytest.mark.parametrize(
    ("imported", "use"),
    [
        ("from metaflow import Deployer", "Deployer('flow.py').argo_workflows()"),
        ("from metaflow import DeployedFlow", "isinstance(1, DeployedFlow)"),
    ],
)
def test_what_is_left_to_others_imports_and_says_so_when_used(
    metaflow: ModuleType, imported: str, use: str
) -> None:
    names: dict[str, object] = {}
    exec(imported, names)
    with pytest.raises(UsageError, match=r"^Headway does not have metaflow\.") as caught:
        exec(use, names)
    assert caught.value.hint


def test_what_is_left_to_others_ends_a_program_without_a_traceback(source: Path, tmp_path: Path) -> None:
    script = tmp_path / "deploy.py"
    script.write_text("from metaflow import Deployer\n\nDeployer(__file__).argo_workflows()\n")
    # As in a pod: another package of that name, were one installed, is not looked for.
    environ = {**os.environ, "PYTHONPATH": str(source), "HEADWAY_IN_TASK": "1"}
    done = subprocess.run([sys.executable, script], env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"Headway does not have metaflow.Deployer ({script}, line 3)." in done.stderr
    assert "Traceback" not in done.stderr


def test_a_name_of_an_event_is_a_plain_value(metaflow: ModuleType) -> None:
    names: dict[str, Any] = {}
    source = """
from metaflow import namespaced_event_name, trigger

@trigger(event=namespaced_event_name("new"))
@trigger(events=[{"name": namespaced_event_name("old"), "parameters": {"x": "y"}}])
class Flow:
    pass
"""
    exec(source, names)
    first, second = flow_decorators_of(names["Flow"])["trigger"]
    assert first.attributes["event"] == "new"
    assert second.attributes["events"][0]["name"] == "old"


def test_an_event_is_not_sent_and_says_so_once(
    metaflow: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(events, "_said", False)
    event = importlib.import_module("metaflow.integrations").ArgoEvent("new", payload={"x": 1})
    assert isinstance(event, importlib.import_module("metaflow.plugins.argo.argo_events").ArgoEvent)
    assert capsys.readouterr().err == ""
    event.add_to_payload("y", 2).publish(payload={"z": 3})
    event.safe_publish(ignore_errors=False)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("sends no events") == said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("place", "ours"),
    [
        ("exception:MetaflowException", HeadwayError("anything")),
        ("exception:UnhandledInMergeArtifactsException", UnhandledInMergeArtifactsError(["x"], "join")),
        ("flowspec:InvalidNextException", InvalidTransitionError("where?")),
        ("lint:LintWarn", FlowDefinitionError("no start")),
        ("plugins.timeout_decorator:TimeoutException", StepTimeoutError("too long")),
        ("datatools:MetaflowS3NotFound", S3NotFoundError("nothing there")),
        ("plugins.datatools.s3.s3:MetaflowS3AccessDenied", S3AccessDeniedError("no")),
    ],
)
def test_ours_is_caught_by_metaflows_name(metaflow: ModuleType, place: str, ours: Exception) -> None:
    module, _, name = place.partition(":")
    caught = getattr(importlib.import_module(f"metaflow.{module}"), name)
    with pytest.raises(caught):
        raise ours
    assert issubclass(caught, importlib.import_module("metaflow.exception").MetaflowException)


def test_an_exception_of_the_persons_own_keeps_its_headline(metaflow: ModuleType) -> None:
    names: dict[str, type[HeadwayError]] = {}
    text = "from metaflow.exception import MetaflowException\nclass Mine(MetaflowException):\n    headline = 'Mine'\n"
    exec(text, names)
    error = names["Mine"]("what happened")
    assert (error.headline, error.message, str(error)) == ("Mine", "what happened", "what happened")


def test_modules_are_there_without_being_imported_by_name(metaflow: ModuleType) -> None:
    assert metaflow.exception.MetaflowNotFound is headway.errors.NotFoundError
    assert metaflow.client.Flow is headway.Flow


def test_objects_pickle_under_our_names(metaflow: ModuleType) -> None:
    assert b"metaflow" not in pickle.dumps(metaflow.exception.MetaflowNotFound)


def test_what_only_deployments_and_cards_need_can_be_written_and_called(metaflow: ModuleType) -> None:
    names: dict[str, Any] = {}
    source = """
from metaflow import card, conda_base, schedule, trigger
from metaflow.cards import Markdown, MetaflowCard

@schedule(daily=True)
@trigger(event="new")
@conda_base(packages={"pandas": "2"})
class Flow:
    @card(type="blank")
    @card
    def start(self): ...

class Mine(MetaflowCard):
    pass

made = Mine(Markdown("# Title")).parts
"""
    exec(source, names)
    assert list(names["made"]) == []
    assert list(flow_decorators_of(names["Flow"])) == ["schedule", "trigger", "conda_base"]


def test_a_component_that_there_is_not_does_not_import(metaflow: ModuleType) -> None:
    exec("from metaflow.cards import Markdown, ProgressBar, Table, get_cards", {})
    with pytest.raises(ImportError, match="Markdwon"):
        exec("from metaflow.cards import Markdwon", {})


def test_looking_for_cards_finds_none_and_says_so_once(
    metaflow: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(no_cards, "_said", False)
    get_cards = importlib.import_module("metaflow.cards").get_cards
    assert list(get_cards("Flow/1/start/1", type="blank")) == []
    assert len(get_cards("Flow/1/start/1")) == 0
    said = capsys.readouterr().err
    assert said.count("makes no cards") == said.count("\n") == 1


#: Modules and names of Metaflow's that code imports beside those of the package itself.
IMPORTED = """
    exception: MetaflowException ParameterFieldFailed ParameterFieldTypeMismatch ExternalCommandFailed
    exception: MetaflowNotFound MetaflowNamespaceMismatch MetaflowInvalidPathspec MetaflowInternalError
    exception: MetaflowTaggingError MetaflowUnknownUser InvalidDecoratorAttribute CommandException
    exception: MetaflowDataMissing UnhandledInMergeArtifactsException MissingInMergeArtifactsException
    exception: MetaflowExceptionWrapper
    flowspec: FlowSpec InvalidNextException
    lint: LintWarn
    runtime: TaskFailed
    plugins.timeout_decorator: TimeoutException
    plugins.catch_decorator: FailureHandledByCatch
    plugins.kubernetes.kubernetes: KubernetesException KubernetesKilledException
    decorators: BadStepDecoratorException DuplicateStepDecoratorException UnknownStepDecoratorException
    decorators: BadFlowDecoratorException DuplicateFlowDecoratorException UnknownFlowDecoratorException
    client: Metaflow Flow Run Step Task DataArtifact namespace get_namespace default_namespace inspect_spin
    client.core: MetaflowCode
    runner: Runner NBRunner ExecutingRun
    integrations: ArgoEvent
    metaflow_version: get_version
    metaflow_current: current
    parameters: Parameter JSONType
    cards: Markdown Table
"""


@pytest.mark.parametrize("line", [line.strip() for line in IMPORTED.strip().splitlines()])
def test_modules_beside_the_package_have_their_names(metaflow: ModuleType, line: str) -> None:
    module, _, names = line.partition(": ")
    place = importlib.import_module(f"metaflow.{module}")
    for name in names.split():
        assert getattr(place, name) is not None
        if name.endswith(("Exception", "Failed", "NotFound", "Warn")):
            assert issubclass(getattr(place, name), HeadwayError)


def test_metaflows_own_exception_takes_what_it_took_there(metaflow: ModuleType) -> None:
    MetaflowException = importlib.import_module("metaflow.exception").MetaflowException

    class Mine(MetaflowException):
        def __init__(self, msg: str, lineno: int) -> None:
            super().__init__(msg, lineno)

    assert (str(Mine("bad x", 12)), Mine("bad x", 12).line_no) == ("bad x", 12)
    told = MetaflowException(msg="no", lineno=7, source_file="flow.py")
    assert (told.message, told.line_no, told.source_file) == ("no", 7, "flow.py")
    assert (str(MetaflowException("no", "Try this.")), MetaflowException().line_no) == ("no\nTry this.", None)


#: What each says it is about, which tools show in place of the class.
HEADLINES = {
    "exception.MetaflowException": "Flow failed",
    "exception.MetaflowNotFound": "Object not found",
    "exception.MetaflowNamespaceMismatch": "Object not in the current namespace",
    "exception.MetaflowInvalidPathspec": "Invalid pathspec",
    "exception.MetaflowInternalError": "Internal error",
    "exception.MetaflowTaggingError": "Tagging error",
    "exception.InvalidDecoratorAttribute": "Unknown decorator attribute",
    "exception.CommandException": "Invalid command",
    "exception.MetaflowDataMissing": "Data missing",
    "flowspec.InvalidNextException": "Invalid self.next() transition detected",
    "lint.LintWarn": "Validity checker found an issue",
    "runtime.TaskFailed": "Step failure",
    "plugins.timeout_decorator.TimeoutException": "@timeout",
    "plugins.kubernetes.kubernetes.KubernetesException": "Kubernetes error",
}


@pytest.mark.parametrize("place", HEADLINES)
def test_errors_say_what_they_are_about(metaflow: ModuleType, place: str) -> None:
    module, _, name = place.rpartition(".")
    kind = getattr(importlib.import_module(f"metaflow.{module}"), name)
    assert kind.headline == HEADLINES[place]
