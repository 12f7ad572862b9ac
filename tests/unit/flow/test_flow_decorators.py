"""Step decorators: where they may stand, what they may say, and how ``--with`` adds them."""

import inspect
import json
from typing import Any

import pytest
from flow_sources import FILE, body_source, parse, parse_body, refused

from headway.errors import FlowDefinitionError, UsageError
from headway.flow import decorators
from headway.flow.catalogue import STEP_DECORATORS, describe
from headway.flow.decorators import DecoratorSpec, decorators_of, kubernetes, retry
from headway.flow.late import parse_with
from headway.flow.step import step, step_mark


def on_one_step(lines: str) -> str:
    return f"{lines}\n@step\ndef only(self): pass\n"


def specs(lines: str) -> list[tuple[str, dict[str, Any]]]:
    graph = parse_body(on_one_step(lines))
    return [(spec.name, dict(spec.attributes)) for spec in graph["only"].decorators]


def test_every_decorator_stands_in_the_catalogue() -> None:
    exported = {
        name: value for name, value in vars(decorators).items() if isinstance(value, decorators.StepDecorator)
    }
    assert {value.name for value in exported.values()} == set(exported) == set(STEP_DECORATORS)
    assert repr(exported["kubernetes"]) == "@kubernetes"
    for name in exported:
        assert "(default: " in describe(name)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("@kubernetes", [("kubernetes", {})]),
        ("@kubernetes()", [("kubernetes", {})]),
        ("@kubernetes(cpu=1)", [("kubernetes", {"cpu": 1})]),
        ("@catch(var='e', print_exception=False)", [("catch", {"var": "e", "print_exception": False})]),
        ("@secrets(sources=['a', {'id': 'b'}], role='r')",
         [("secrets", {"sources": ["a", {"id": "b"}], "role": "r"})]),
        ("@retry(times='4', minutes_between_retries='0.5')",
         [("retry", {"times": "4", "minutes_between_retries": "0.5"})]),
        ("@timeout(seconds=1.5)\n@parallel(num_nodes=2)",
         [("timeout", {"seconds": 1.5}), ("parallel", {"num_nodes": 2})]),
        ("@retry(times=1.0)\n@parallel(num_nodes=2.0)",
         [("retry", {"times": 1.0}), ("parallel", {"num_nodes": 2.0})]),
        ("@retry(times=3)\n@kubernetes", [("retry", {"times": 3}), ("kubernetes", {})]),
        ("@timeout(hours=2)\n@kubernetes\n@resources(cpu=4)",
         [("timeout", {"hours": 2}), ("kubernetes", {}), ("resources", {"cpu": 4})]),
        ("@environment(vars={'A': 1})", [("environment", {"vars": {"A": 1}})]),
        ("@batch(queue='q')\n@secrets(sources=['a.b'])\n@catch(var='_failure')",
         [("batch", {"queue": "q"}), ("secrets", {"sources": ["a.b"]}), ("catch", {"var": "_failure"})]),
    ],
)  # fmt: skip
def test_only_what_is_written_is_noted(lines: str, expected: list[tuple[str, dict[str, Any]]]) -> None:
    assert specs(lines) == expected


def test_above_and_below_step_and_with_parentheses() -> None:
    graph = parse_body("@retry\n@step()\n@kubernetes(cpu=2)\ndef only(self): pass\n")
    assert [spec.name for spec in graph["only"].decorators] == ["retry", "kubernetes"]
    assert [spec.location for spec in graph["only"].decorators] == [(FILE, 2), (FILE, 4)]


def test_a_decorated_method_is_the_method() -> None:
    class Holder:
        def work(self: Any) -> int:
            return 3

    work = Holder.work
    assert kubernetes(retry(times=2)(step(work))) is work
    assert work(None) == 3
    assert step_mark(work) == (False, False, {})
    assert inspect.unwrap(work) is work


def test_a_decorated_function_outside_a_class_is_called_as_ever() -> None:
    def work(number: int) -> int:
        return 2 * number

    found = kubernetes(retry(times=2)(step(work)))
    assert found(3) == 6
    assert inspect.unwrap(found) is work
    assert step_mark(found) == (False, False, {})
    assert [spec.name for spec in decorators_of(found)] == ["kubernetes", "retry"]


def test_notes_are_not_shared_between_functions() -> None:
    def first(self: Any) -> None: ...

    def second(self: Any) -> None: ...

    retry(first)
    second.__dict__.update(first.__dict__)  # what functools.wraps does
    kubernetes(second)
    assert [spec.name for spec in decorators_of(first)] == ["retry"]
    assert [spec.name for spec in decorators_of(second)] == ["kubernetes", "retry"]


REFUSED = {
    "@kubernetes(gpus=1)": (
        "Decorator 'kubernetes' does not support the attribute 'gpus' (on step 'only').",
        "Did you mean gpu? These are supported: active_deadline_seconds",
    ),
    "@retry(time=3)": ("Decorator 'retry' does not support the attribute 'time'", "Did you mean times?"),
    "@resources(image='x')": ("Decorator 'resources' does not support the attribute 'image'", "These are supported: cpu"),
    "@retry\n@kubernetes\n@retry(times=1)": ("Step 'only' has @retry twice.", "Write one @retry"),
    "@retry(3)": ("Decorator 'retry' on step 'only' has a value without a name: 3", "@retry(times=3)"),
    "@catch(ValueError)": ("Decorator 'catch' on step 'only' has a value without a name", "@catch(var="),
    "@retry(times=5)": ("the maximum number of retries is @retry(times=4)", ""),
    "@retry(times=-1)": ("a whole number of at least 0 is allowed", ""),
    "@retry(times=1.5)": ("a whole number of at least 0 is allowed", ""),
    "@retry(times=True)": ("a whole number of at least 0 is allowed", ""),
    "@retry(minutes_between_retries=-1)": ("a number of minutes of at least 0 is allowed", ""),
    "@timeout": ("@timeout on step 'only': Specify a duration", ""),
    "@timeout(seconds=0)": ("@timeout on step 'only': Specify a duration", ""),
    "@timeout(minutes='soon')": ("a number of minutes of at least 0 is allowed", ""),
    "@timeout(hours=float('nan'))": ("a number of hours of at least 0 is allowed", ""),
    "@environment(vars=['A=1'])": ("a dict from variable to value is allowed", ""),
    "@environment(vars={'A=B': 1})": ("'A=B' is not the name of a variable", ""),
    "@parallel(num_nodes=0)": ("a whole number of at least 1 is allowed", ""),
    "@catch(var='two words')": ("the name of an artifact is allowed", ""),
    "@secrets(sources=['a'], role='')": ("text is allowed", ""),
    "@catch(print_exception=1)": ("True or False is allowed", ""),
    "@secrets(sources='name')": ("a list of secrets is allowed", ""),
    "@kubernetes(cpu=0)": ("@kubernetes(cpu=0) on step 'only': a number of cores greater than 0 is allowed", ""),
    "@kubernetes(labels={'a': 'not allowed!'})": ("@kubernetes(labels=", ""),
    "@kubernetes(pod_settings={'labels': {'a': 'not allowed!'}, 'env': {'TOKEN': 'x'}})": (
        "@kubernetes(pod_settings=…) on step 'only': labels: the value 'not allowed!'", "",
    ),
    "@kubernetes(pod_settings={'shape': 1})": ("settings of @kubernetes are allowed in it, and 'shape' is none", ""),
    "@kubernetes(pod_settings=3)": ("a dict of settings is allowed", ""),
    "@kubernetes(qos='Best')": ("one of Guaranteed, Burstable is allowed", ""),
}  # fmt: skip


@pytest.mark.parametrize("lines", REFUSED, ids=str)
def test_refused(lines: str) -> None:
    message, hint = REFUSED[lines]
    error = refused(on_one_step(lines))
    assert message in error.message
    assert hint in str(error)
    assert (error.file, error.line) == (FILE, 1 + len(lines.splitlines()))


def test_settings_may_stand_in_a_group_of_their_own() -> None:
    lines = "@kubernetes(pod_settings={'node_selectors': {'pool': 'gpu'}, 'host_ipc': True}, service_account_name='ml')"
    (spec,) = parse_body(on_one_step(lines)).nodes["only"].decorators
    assert spec.attributes["pod_settings"] == {"node_selectors": {"pool": "gpu"}, "host_ipc": True}


def test_step_says_what_it_does_not_take_in_a_class() -> None:
    source = "class F:\n    @step(step_operator='k8s')\n    def only(self): pass"
    with pytest.raises(FlowDefinitionError, match="@step does not take step_operator in a class") as caught:
        exec(source, {"step": step})
    assert "@kubernetes(" in (caught.value.hint or "")


@pytest.mark.parametrize("target", ["print", "object()"])
def test_pipelines_stand_on_functions(target: str) -> None:
    with pytest.raises(FlowDefinitionError, match=r"@pipeline stands on a .*; a pipeline is a function"):
        exec(f"from headway import pipeline\npipeline({target})", {})


def test_on_a_method_that_is_no_step() -> None:
    error = refused("@kubernetes\ndef helper(self): pass\n@step\ndef only(self): pass")
    assert error.message == "@kubernetes stands on 'helper', which is not marked with @step."
    assert (error.file, error.line) == (FILE, 2)


def test_on_a_class() -> None:
    source = "@kubernetes\n" + body_source("@step\ndef only(self): pass")
    with pytest.raises(FlowDefinitionError, match="@kubernetes stands on class F"):
        parse(source)


def test_on_something_that_is_no_function() -> None:
    with pytest.raises(FlowDefinitionError, match="@retry stands on a property, which is not a step"):
        retry(times=1)(property())  # type: ignore[type-var]
    with pytest.raises(FlowDefinitionError, match="@step stands on a staticmethod"):
        step(staticmethod(print))
    with pytest.raises(FlowDefinitionError, match="@step stands on class object; a step is a plain method"):
        step(object)


def test_json_form_keeps_what_json_knows() -> None:
    spec = DecoratorSpec(
        "kubernetes", {"tolerations": [{"key": "a"}], "labels": {1: {2}}, "x": object}, "f.py:3"
    )
    raw = json.loads(json.dumps(spec.to_json()))
    assert raw["attributes"] == {"tolerations": [{"key": "a"}], "labels": {"1": [2]}, "x": "<class 'object'>"}
    assert DecoratorSpec.from_json(raw).location == ("f.py", 3)


WITH = {
    "kubernetes": {},
    "kubernetes:": {},
    "retry:times=2": {"times": 2},
    "kubernetes:cpu=4,memory=2000": {"cpu": 4, "memory": 2000},
    'kubernetes:cpu=4,memory=2000,labels={"a":"b","c":"d"},annotations={"e":"f,g:h=i"}': {
        "cpu": 4, "memory": 2000, "labels": {"a": "b", "c": "d"}, "annotations": {"e": "f,g:h=i"},
    },
    "kubernetes:image=registry.io:5000/python:3.9,cpu=0.5": {"image": "registry.io:5000/python:3.9", "cpu": 0.5},
    'kubernetes:tolerations=[{"key":"a","operator":"Exists"}],gpu=1': {
        "tolerations": [{"key": "a", "operator": "Exists"}], "gpu": 1,
    },
    'kubernetes: labels = {"a": "b"} , namespace = ml ': {"labels": {"a": "b"}, "namespace": "ml"},
    "kubernetes:use_tmpfs=true,tmpfs_tempdir=False": {"use_tmpfs": True, "tmpfs_tempdir": False},
    "kubernetes:namespace=2024": {"namespace": "2024"},
    'kubernetes:service_account="a"': {"service_account": "a"},
    "kubernetes:node_selector=disk=ssd,zone=a,cpu=2": {"node_selector": "disk=ssd,zone=a", "cpu": 2},
    "kubernetes:cpu=2,node_selector=disk=ssd": {"cpu": 2, "node_selector": "disk=ssd"},
    "kubernetes:gpu=null": {"gpu": None},
    'environment:vars={"A":"1"}': {"vars": {"A": "1"}},
    "kubernetes:secrets=a": {"secrets": "a"},
}  # fmt: skip


@pytest.mark.parametrize("text", WITH, ids=str)
def test_with(text: str) -> None:
    spec = parse_with(text)
    assert dict(spec.attributes) == WITH[text]
    assert spec.name == text.partition(":")[0]
    assert spec.source == f"--with {text}"
    assert spec.attached
    assert spec.location == ("", 0)


WITH_REFUSED = {
    "kubernets": ("There is no step decorator 'kubernets'", "Did you mean kubernetes? These are supported: batch, card"),
    "": ("There is no step decorator ''", "These are supported: batch"),
    "kubernetes:gpus=1": ("does not support the attribute 'gpus'", "Did you mean gpu?"),
    "kubernetes:cpu": ("'cpu' is not of the form key=value", "Separate pairs by commas"),
    "kubernetes:cpu=4,memory": ("'memory' is not of the form key=value", "Separate pairs"),
    "kubernetes:cpu=4,,memory=1": ("'' is not of the form key=value", "Separate pairs"),
    "kubernetes:node_selector=disk=ssd,zone,cpu=4": ("'zone' is not of the form key=value", ""),
    "kubernetes:node_selector=disk=ssd,zone": ("'zone' is not of the form key=value", ""),
    "kubernetes:cpu=4,cpu=5": ("'cpu' is given twice", "Give it once"),
    'kubernetes:labels={"a":"b"': ("is not valid JSON", "single quotes"),
    "kubernetes:labels={a:b}": ("is not valid JSON", "single quotes"),
    'kubernetes:labels={"a":"b"}x': ("unexpected 'x' after {\"a\":\"b\"}", "comma"),
    "kubernetes:cpu=0": ("a number of cores greater than 0", ""),
    "timeout": ("Specify a duration", ""),
    "retry:times=9": ("the maximum number of retries is @retry(times=4)", ""),
}  # fmt: skip


@pytest.mark.parametrize("text", WITH_REFUSED, ids=str)
def test_with_refused(text: str) -> None:
    message, hint = WITH_REFUSED[text]
    with pytest.raises(UsageError) as caught:
        parse_with(text)
    assert caught.value.message.startswith(f"--with {text}: ")
    assert message in caught.value.message
    assert hint in str(caught.value)
    assert caught.value.headline == UsageError.headline, "it is not the flow that is wrong"
