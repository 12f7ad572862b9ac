"""What a pipeline's body says: calls, what they need, what they are given; and what it cannot say."""

import json
import sys
import threading
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from headway.call import Call, Place
from headway.config.sources import Configuration
from headway.errors import FlowDefinitionError
from headway.flow.decorators import DecoratorSpec
from headway.flow.graph import CALL, Graph
from headway.flow.late import parse_with
from headway.flow.pipeline import Pipeline
from headway.flow.trace import Traced, trace
from headway.launch.steps import plan_steps

HEADER = """
from typing import Annotated
from headway import kubernetes, parallel, pipeline, retry, step

@step
def load(rows: int) -> Annotated[list, "table"]:
    '''Read the rows.'''
    return list(range(rows))

@step
def train(table: list, rate: float = 0.1) -> tuple[Annotated[str, "model"], Annotated[float, "score"]]:
    return "m", rate

@step
def report(scores: list, title: str = "all") -> None: ...

@step
def quiet(): pass
"""
FILE = "/somewhere/pipeline_file.py"


@pytest.fixture(autouse=True)
def module() -> Iterator[ModuleType]:
    found = ModuleType("pipeline_file")
    sys.modules["pipeline_file"] = found
    yield found
    del sys.modules["pipeline_file"]


def traced(body: str, arguments: Mapping[str, Any] | None = None, header: str = HEADER) -> Traced:
    text = f"{header}\n{body}"
    namespace = vars(sys.modules["pipeline_file"])
    exec(compile(text, FILE, "exec", dont_inherit=True), namespace)
    (found,) = [value for value in namespace.values() if isinstance(value, Pipeline)]
    return trace(found, arguments or {}, text)


def graph_of(body: str, arguments: Mapping[str, Any] | None = None) -> Graph:
    return traced(f"@pipeline\ndef flow({', '.join(arguments or {})}):\n    {body}", arguments).graph


def refused(body: str, header: str = HEADER) -> FlowDefinitionError:
    with pytest.raises(FlowDefinitionError) as caught:
        traced(f"@pipeline\ndef flow():\n    {body}", header=header)
    return caught.value


def test_calls_become_nodes_with_what_they_need() -> None:
    found = traced(
        "@pipeline\ndef training(rows):\n    '''Trains.'''\n    table = load(rows)\n"
        "    model, score = train(table, rate=0.5)\n    report([score], 'one')\n",
        {"rows": 7},
    )
    graph = found.graph
    assert (graph.name, graph.doc, graph.start, graph.end) == ("training", "Trains.", "load", "report")
    assert graph.is_pipeline
    assert {node.name: (node.kind, node.needs, node.targets) for node in graph} == {
        "load": (CALL, (), ("train",)),
        "train": (CALL, ("load",), ("report",)),
        "report": (CALL, ("train",), ()),
    }
    assert graph["train"].call == Call(
        "pipeline_file", "train", (("table", 0, "table"),), ("model", "score"), True, True
    )
    assert graph["load"].doc == "Read the rows."
    assert (graph["load"].file, graph["load"].line) == (FILE, 5)
    assert found.constants == {
        "load": {"rows": 7},
        "train": {"rate": 0.5},
        "report": {"scores": [Place(0, "score")], "title": "one"},
    }


def test_the_graph_survives_json() -> None:
    graph = graph_of("report([train(load(1))[1], train(load(2))[1]])")
    assert Graph.from_json(graph.to_json()) == graph
    assert graph["report"].needs == ("train", "train_2")


def test_loops_and_conditions_over_parameters() -> None:
    body = "report([train(load(n))[1] for n in range(count) if n])"
    graph = graph_of(body, {"count": 4})
    assert [node.name for node in graph.in_order()] == [
        "load", "train", "load_2", "train_2", "load_3", "train_3", "report",
    ]  # fmt: skip
    assert graph["report"].needs == ("train", "train_2", "train_3")


def test_two_calls_may_share_one_input_and_not_the_other() -> None:
    graph = graph_of("a = load(1); b = load(2); report([a, b]); report([b], id='second')")
    assert graph["report"].needs == ("load", "load_2")
    assert graph["second"].needs == ("load_2",)
    assert graph["load_2"].targets == ("report", "second")


def test_after_and_id() -> None:
    graph = graph_of("q = quiet(id='first'); load(1, after=q); load(2, after=['first', 'load'])")
    assert graph["load"].needs == ("first",)
    assert graph["load_2"].needs == ("first", "load")


def test_a_pipeline_within_a_pipeline_adds_its_calls() -> None:
    text = f"{HEADER}\ndef helper(): return load(3)\n"
    text += "@pipeline\ndef inner(n):\n    return train(load(n))\n@pipeline\ndef outer():\n"
    text += "    m, s = inner(2)\n    report([s])\n"
    namespace = vars(sys.modules["pipeline_file"])
    exec(compile(text, FILE, "exec", dont_inherit=True), namespace)
    graph = trace(namespace["outer"], {}).graph
    assert [node.name for node in graph] == ["load", "train", "report"]


def test_a_step_outside_a_pipeline_is_its_function() -> None:
    namespace = vars(sys.modules["pipeline_file"])
    exec(compile(HEADER, FILE, "exec", dont_inherit=True), namespace)
    assert namespace["load"](3) == [0, 1, 2]
    assert namespace["load"].entrypoint(2) == [0, 1]
    assert namespace["load"].__name__ == "load"


def test_decorators_above_and_below_step_are_the_nodes() -> None:
    header = HEADER + "\n@kubernetes(cpu=2)\n@step\n@retry(times=1)\ndef heavy(): pass\n"
    node = traced("@pipeline\ndef flow():\n    heavy()", header=header).graph["heavy"]
    assert [(spec.name, dict(spec.attributes)) for spec in node.decorators] == [
        ("kubernetes", {"cpu": 2}),
        ("retry", {"times": 1}),
    ]


def test_with_options_is_a_copy_and_keeps_decorators() -> None:
    header = HEADER + "\n@kubernetes(cpu=2)\n@step\ndef heavy(x=1): pass\n"
    body = (
        "@pipeline\ndef flow():\n    heavy.with_options(name='lighter', parameters={'x': 5})()\n    heavy()"
    )
    found = traced(body, header=header)
    assert [node.name for node in found.graph] == ["lighter", "heavy"]
    assert found.graph["lighter"].decorator("kubernetes") is not None
    assert found.constants == {"lighter": {"x": 5}}


def test_other_options_are_merged_with_those_that_there_are() -> None:
    header = HEADER + (
        "\n@step(step_operator='big', settings={'step_operator': {'pod_settings': {'labels': {'a': '1'}}}})\n"
        "def heavy(x=1): pass\n"
        "more = {'step_operator': {'pod_settings': {'labels': {'b': '2'}}}, 'resources': {'cpu_count': 2}}\n"
        "changed = heavy.with_options(name='changed', settings=more)\n"
        "replaced = heavy.with_options(name='replaced', settings=more, merge=False)\n"
    )
    graph = traced("@pipeline\ndef flow():\n    heavy(); changed(); replaced()", header=header).graph
    labels = {
        name: decorators["kubernetes"]["pod_settings"]["labels"]
        for name, decorators in (
            (node.name, {spec.name: spec.attributes for spec in node.decorators}) for node in graph
        )
    }
    assert labels == {"heavy": {"a": "1"}, "changed": {"a": "1", "b": "2"}, "replaced": {"b": "2"}}
    assert graph["changed"].decorator("resources") is not None
    assert graph["heavy"].decorator("resources") is None


def test_a_pipeline_says_what_its_calls_are_given_by_their_names() -> None:
    found = traced(
        "@pipeline\ndef base():\n    load(1); train([1]); train([2])\n"
        "flow = base.with_options(steps={'train_2': {'parameters': {'rate': 9}, 'step_operator': True}})\n"
        "flow = flow.with_options(steps={'train': {'parameters': {'rate': 5}}})\ndel base"
    )
    assert found.constants["train"] == {"table": [1], "rate": 5}
    assert found.constants["train_2"] == {"table": [2], "rate": 9}
    assert [node.name for node in found.graph if node.decorator("kubernetes")] == ["train_2"]


@pytest.mark.parametrize(
    ("options", "said", "hint"),
    [
        ("steps={'tran': {}}", "has steps={'tran': …}, and calls none of that name", "Did you mean train?"),
        ("steps=['train']", "has steps=['train']", "Write a dict of dicts"),
        ("config_path='a.yaml'", "is given config_path='a.yaml', which @pipeline does not take", "safe_load"),
        ("schedule='0 1 * * *'", "is given schedule='0 1 * * *'", "cron"),
        ("enable_cahce=True", "is given enable_cahce=True, which @pipeline does not take", "enable_cache"),
    ],
)
def test_mistakes_of_a_pipelines_options_are_the_pipelines(options: str, said: str, hint: str) -> None:
    with pytest.raises(FlowDefinitionError) as caught:
        traced(f"@pipeline({options})\ndef flow():\n    train([1])")
    assert caught.value.message.startswith(f"Pipeline 'flow' {said}")
    assert hint in str(caught.value.hint)
    assert (caught.value.file, caught.value.line) == (FILE, len(HEADER.splitlines()) + 2)


def test_settings_of_a_pipeline_that_one_step_has_use_for_are_not_said_to_have_none() -> None:
    body = (
        "@pipeline(settings={'step_operator:big': {'privileged': True}, 'orchestrator': {'x': 1}}, run_name='a')\n"
        "def flow():\n    quiet(); quiet.with_options(name='big_one', step_operator='big')()"
    )
    graph = traced(body).graph
    assert graph.notes == (
        "@pipeline(run_name=…) has no effect here: runs are numbered, and tags=[…] finds them again.",
        "settings={'orchestrator': …} has no effect here.",
    )


def test_the_options_of_a_pipeline_within_another_one_are_the_outer_ones() -> None:
    text = f"{HEADER}\n@pipeline(settings={{'resources': {{'cpu_count': 2}}}}, parameters={{'n': 4}})\n"
    text += "def inner(n, m=1):\n    return load(n)\n@pipeline\ndef outer():\n    inner(m=2); inner(7)\n"
    namespace = vars(sys.modules["pipeline_file"])
    exec(compile(text, FILE, "exec", dont_inherit=True), namespace)
    found = trace(namespace["outer"], {})
    assert found.constants == {"load": {"rows": 4}, "load_2": {"rows": 7}}
    assert found.graph.notes == (
        "Pipeline inner is called within outer, whose options count: settings of inner have no effect.",
    )


def test_what_sends_a_step_into_a_pod_leaves_what_its_settings_say() -> None:
    docker = "'docker': {'requirements': ['numpy'], 'environment': {'A': '1'}}"
    header = HEADER + (
        f"\n@step(environment={{'B': '2'}}, settings={{'step_operator': {{'cpu': 3}}, {docker}}})\ndef heavy(): pass\n"
    )
    found = traced("@pipeline\ndef flow():\n    heavy(); quiet()", header=header)
    assert [spec.name for spec in found.graph["heavy"].decorators] == ["environment"]
    late = DecoratorSpec("kubernetes", {"cpu": 1, "memory": 100}, "--with kubernetes:cpu=1,memory=100")
    graph = found.graph_with([late])
    pod = graph["heavy"].decorator("kubernetes")
    assert pod is not None
    assert (pod.attributes, pod.attached, pod.beneath) == ({"cpu": 3}, False, (late,))
    variables = graph["heavy"].decorator("environment")
    assert variables is not None
    assert variables.attributes == {"vars": {"A": "1", "B": "2"}}
    assert graph["heavy"].decorator("pypi") is not None
    assert graph["quiet"].decorators == (late,)


def test_after_takes_the_outputs_of_a_call_with_several() -> None:
    graph = graph_of("both = train([1]); load(1, after=[both, quiet()])")
    assert graph["load"].needs == ("train", "quiet")


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ("if load(1): pass", "bool() is asked of it"),
        ("[x for x in load(1)]", "iter() is asked of it"),
        ("load(1) + 1", "add() is asked of it"),
        ("load(1)[0]", "getitem() is asked of it"),
        ("load(1).mean()", "its attribute mean is asked for"),
        ("f'{load(1)}'", "format() is asked of it"),
        ("load(1) == 2", "eq() is asked of it"),
    ],
)
def test_an_output_has_no_value_in_the_body(body: str, asked: str) -> None:
    error = refused(body)
    assert error.message == (
        f"Output 'table' of step 'load' has no value while the pipeline's body runs, but {asked}."
    )
    assert (error.file, error.line) == (FILE, len(HEADER.splitlines()) + 4)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("pass", "Pipeline 'flow' calls no step."),
        ("load()", "The call of step 'load' does not fit its function: missing a required argument: 'rows'."),
        ("load(1, 2)", "The call of step 'load' does not fit its function: too many positional arguments."),
        (
            "load(1, after='gone')",
            "The call of step 'load' is to come after 'gone', which was not called before it.",
        ),
        ("load(1, id='a b')", "The call of step 'load' has the id 'a b'."),
        ("load(1, id='_parameters')", "The call of step 'load' has the id '_parameters'."),
        ("load(1, id='input')", "The call of step 'load' has the id 'input'."),
        (
            "load(report([1]))",
            "The call of step 'load' is handed what 'report' returns, which its annotation says is None.",
        ),
        (
            "load({'all': [report([1])]})",
            "The call of step 'load' is handed what 'report' returns, which its annotation says is None.",
        ),
        (
            "load(1, id='x'); load(2, id='x')",
            "The call of step 'load' has the id 'x', and so has a call before it.",
        ),
        ("1 / 0", "The body of pipeline 'flow' failed: ZeroDivisionError: division by zero"),
    ],
)
def test_mistakes_of_a_body_are_told_with_their_place(body: str, said: str) -> None:
    error = refused(body)
    assert error.message == said
    assert error.file == FILE


def test_functions_that_pods_could_not_find_or_call() -> None:
    inside = HEADER + "\ndef make():\n    @step\n    def within(): pass\n    return within\nwithin = make()\n"
    assert "its function stands within another one" in refused("within()", inside).message
    starred = HEADER + "\n@step\ndef starred(*many): pass\n"
    assert (
        "its function takes *many, and a step's inputs have names" in refused("starred(1)", starred).message
    )
    waiting = HEADER + "\n@step\nasync def waiting(): pass\n"
    assert "its function is async" in refused("waiting()", waiting).message
    lazy = HEADER + "\n@step\ndef lazy(): yield 1\n"
    assert "its function yields" in refused("lazy()", lazy).message
    gang = HEADER + "\n@parallel\n@step\ndef gang(): pass\n"
    assert "does not say on how many nodes" in refused("gang()", gang).message


def test_after_an_error_steps_are_functions_again() -> None:
    refused("1 / 0")
    assert sys.modules["pipeline_file"].load(1) == [0]


SENT = """
@step(step_operator=True, settings={"step_operator": {"memory": 300}})
def placed(): pass

@step(settings={"step_operator": {"memory": 300}})
def anywhere(): pass
"""


def test_what_a_pipeline_says_gives_way_to_with_and_what_its_steps_say_does_not(tmp_path: Path) -> None:
    settings = {"cpu": 3, "memory": 100, "disk": 200, "labels": {"of": "all"}}
    found = traced(
        f"@pipeline(settings={{'step_operator': {settings}}})\ndef flow():\n    placed()\n    anywhere()",
        header=HEADER + SENT,
    )
    sent = found.graph_with([parse_with("kubernetes:cpu=4,memory=400")])
    configuration = Configuration.load({}, tmp_path)
    for graph in (sent, Graph.from_json(json.loads(json.dumps(sent.to_json())))):
        for step in plan_steps(graph, configuration).values():
            pod = step.kubernetes
            assert pod is not None
            assert (pod.cpu, pod.memory, pod.disk) == (Decimal(4), 300, 200)
            assert pod.labels == {"of": "all"}
            assert step.provenance["cpu"] == "--with kubernetes:cpu=4,memory=400"
            assert step.provenance["disk"].startswith(f"@pipeline, {FILE}:")
    without = plan_steps(found.graph, configuration)
    assert without["anywhere"].kubernetes is None
    assert without["placed"].kubernetes is not None
    assert without["placed"].kubernetes.cpu == Decimal(3)


def test_each_thread_traces_a_pipeline_of_its_own() -> None:
    text = f"{HEADER}\n@pipeline\ndef flow(meet, seen):\n    meet.wait()\n    load(1)\n    meet.wait()\n    train([1])\n"
    namespace = vars(sys.modules["pipeline_file"])
    exec(compile(text, FILE, "exec", dont_inherit=True), namespace)
    meet = threading.Barrier(3)
    found: list[Graph] = []
    threads = [
        threading.Thread(
            target=lambda: found.append(trace(namespace["flow"], {"meet": meet, "seen": []}, text).graph)
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    meet.wait()
    # Where no body is traced, a step is its function.
    assert namespace["load"](2) == [0, 1]
    meet.wait()
    for thread in threads:
        thread.join()
    assert [[node.name for node in graph] for graph in found] == [["load", "train"]] * 2


def test_what_a_body_calls_elsewhere_is_told_at_its_own_line() -> None:
    error = refused("import json; json.loads('{')")
    assert (error.file, error.line) == (FILE, len(HEADER.splitlines()) + 4)


def test_a_step_that_is_no_function_would_run_in_the_body() -> None:
    header = HEADER + "\nimport functools\n@step\n@functools.lru_cache\ndef kept(x): return x\n"
    error = refused("kept(1)", header)
    assert (
        error.message == "@step stands on a _lru_cache_wrapper around kept; a pipeline's step is a function."
    )
    assert error.file == FILE
