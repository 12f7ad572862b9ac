"""The truth table of precedence: every rule of how a step's settings join, one line each."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from headway.config.resolve import BUILT_IN, Layer, Resolved, resolve_kubernetes
from headway.config.sources import Configuration
from headway.flow.decorators import DecoratorSpec
from headway.flow.graph import Graph, Node
from headway.launch.overrides import Override
from headway.launch.steps import plan_steps

Values = dict[str, Any]


@dataclass
class Case:
    """What each place says of one field; the value that comes out, and whence."""

    rule: str
    name: str
    value: object
    source: str
    env: dict[str, str] = field(default_factory=dict)
    #: Configuration files by name, from the project's folder down to Metaflow's home.
    files: dict[str, str] = field(default_factory=dict)
    profile: str | None = None
    flow: object = None
    with_spec: object = None
    #: What another ``--with`` says, after that one.
    later_with: object = None
    decorator: object = None
    resources: object = None
    override: object = None


CPU, MEMORY = "METAFLOW_KUBERNETES_CPU", "METAFLOW_KUBERNETES_MEMORY"
OURS = "HEADWAY_KUBERNETES_CPU"
OWN, NAMED = "project/.headway/config.json", "project/.headway/config_prod.json"
HOME, HOME_NAMED = "home/config.json", "home/config_prod.json"
THEIRS, THEIR_HOME, THEIR_NAMED = (
    "project/.metaflow/config.json",
    "theirs/config.json",
    "theirs/config_prod.json",
)
ALL = "@kubernetes + --with + flow"
LABELS, SECRETS = "METAFLOW_KUBERNETES_LABELS", "METAFLOW_KUBERNETES_SECRETS"

TABLE = [
    # One value: the later layer wins.
    Case("nobody says anything", "cpu", Decimal(1), BUILT_IN),
    Case("configuration fills in", "cpu", Decimal(2), CPU, env={CPU: "2"}),
    Case("our variable before Metaflow's", "cpu", Decimal(3), "HEADWAY_KUBERNETES_CPU",
         env={CPU: "2", "HEADWAY_KUBERNETES_CPU": "3"}),
    Case("a file fills in", "cpu", Decimal(2), f"{OWN}: {CPU}", files={OWN: CPU}),
    Case("a variable before any file", "cpu", Decimal(3), CPU, env={CPU: "3"}, files={OWN: OURS}),
    Case("our key before Metaflow's in one file", "cpu", Decimal(2), f"{OWN}: {OURS}", files={OWN: f"{CPU} {OURS}"}),
    Case("the project's file before the person's", "cpu", Decimal(2), f"{OWN}: {CPU}",
         files={OWN: CPU, HOME: OURS}),
    Case("the person's file before Metaflow's", "cpu", Decimal(2), f"{HOME}: {CPU}",
         files={HOME: CPU, THEIRS: CPU, THEIR_HOME: CPU}),
    Case("Metaflow's files in their order", "cpu", Decimal(2), f"{THEIRS}: {CPU}",
         files={THEIRS: CPU, THEIR_HOME: CPU}),
    Case("Metaflow's home comes last", "cpu", Decimal(2), f"{THEIR_HOME}: {CPU}", files={THEIR_HOME: CPU}),
    Case("the named configuration before the plain one", "cpu", Decimal(2), f"{NAMED}: {CPU}",
         files={NAMED: CPU, OWN: OURS, HOME: OURS}, profile="prod"),
    Case("a person's named one before the project's plain one", "cpu", Decimal(2), f"{HOME_NAMED}: {CPU}",
         files={HOME_NAMED: CPU, OWN: OURS}, profile="prod"),
    Case("a variable chooses the named one", "cpu", Decimal(2), f"{NAMED}: {CPU}",
         env={"METAFLOW_PROFILE": "prod"}, files={NAMED: CPU, OWN: OURS}),
    Case("--config-name before the variable", "cpu", Decimal(2), f"{NAMED}: {CPU}",
         env={"HEADWAY_PROFILE": "missing"}, files={NAMED: CPU}, profile="prod"),
    Case("one that is not chosen is not read", "cpu", Decimal(1), BUILT_IN, files={NAMED: CPU}),
    Case("Metaflow's profile stands in its home", "cpu", Decimal(2), f"{THEIR_NAMED}: {CPU}",
         files={THEIR_NAMED: CPU, THEIR_HOME: CPU}, profile="prod"),
    Case("flow settings win over files", "cpu", Decimal(3), "flow", files={OWN: CPU}, flow=3),
    Case("a decorator wins over the named configuration", "cpu", Decimal(5), "@kubernetes",
         files={NAMED: CPU}, profile="prod", decorator=5),
    Case("ZenML's group says the same as the setting itself", "cpu", Decimal(5), "@kubernetes",
         env={CPU: "2"}, with_spec=4, decorator={"pod_settings": {"cpu": 5}}),
    Case("a pipeline's group gives way to the step's", "cpu", Decimal(5), "@kubernetes",
         flow={"pod_settings": {"cpu": 3}}, decorator={"pod_settings": {"cpu": 5}}),
    Case("flow settings win over configuration", "cpu", Decimal(3), "flow", env={CPU: "2"}, flow=3),
    Case("--with wins over flow settings", "cpu", Decimal(4), "--with",
         env={CPU: "2"}, flow=3, with_spec="4"),
    Case("the decorator wins over --with", "cpu", Decimal(1), "@kubernetes",
         env={CPU: "2"}, flow=3, with_spec="4", decorator=1),
    Case("the decorator leaves it open, --with says it", "cpu", Decimal(4), "--with",
         env={CPU: "2"}, flow=3, with_spec="4"),
    Case("the first --with wins over the next", "cpu", Decimal(4), "--with", with_spec="4", later_with=6),
    Case("what one --with leaves open, the next says", "cpu", Decimal(6), "--with, later",
         env={CPU: "2"}, flow=3, later_with=6),
    Case("--override wins over everything", "cpu", Decimal("0.5"), "--override",
         env={CPU: "2"}, flow=3, with_spec="4", decorator=5, resources=6, override="500m"),
    Case("an explicit default is explicit", "cpu", Decimal(1), "@kubernetes", env={CPU: "8"}, decorator=1),
    Case("an explicit default is explicit, in text", "memory", 4096, "@kubernetes",
         env={MEMORY: "8192"}, decorator="4096"),
    Case("None is no statement", "cpu", Decimal(2), CPU, env={CPU: "2"}),
    Case("an empty variable is no statement", "cpu", Decimal(1), BUILT_IN, env={CPU: ""}),
    Case("image: the decorator's", "image", "a.b/c", "@kubernetes",
         env={"METAFLOW_KUBERNETES_CONTAINER_IMAGE": "x"}, decorator="a.b/c"),
    Case("image: the variable's", "image", "x", "METAFLOW_KUBERNETES_CONTAINER_IMAGE",
         env={"METAFLOW_KUBERNETES_CONTAINER_IMAGE": "x", "METAFLOW_DEFAULT_CONTAINER_IMAGE": "y"}),
    Case("image: the general variable's", "image", "y", "METAFLOW_DEFAULT_CONTAINER_IMAGE",
         env={"METAFLOW_DEFAULT_CONTAINER_IMAGE": "y"}),
    Case("false is a statement", "tmpfs_tempdir", False, "@kubernetes", with_spec=True, decorator=False),
    # @resources: the greater of what people wrote.
    Case("@resources alone", "cpu", Decimal(4), "@resources", resources=4),
    Case("@resources alone, less than the default", "memory", 512, "@resources", resources=512),
    Case("@resources alone, less than configured", "cpu", Decimal(1), "@resources",
         env={CPU: "8"}, resources=1),
    Case("the greater: @resources", "cpu", Decimal(4), "@resources", decorator=2, resources=4),
    Case("the greater: @kubernetes", "cpu", Decimal(4), "@kubernetes", decorator=4, resources="2"),
    Case("equals are the decorator's", "cpu", Decimal(4), "@kubernetes", decorator=4, resources=4.0),
    Case("--with and bare @resources", "memory", 256, "--with", with_spec="256"),
    Case("--with joins @resources too", "memory", 16000, "@resources", with_spec=256, resources=16000),
    Case("only the winner joins, not what it hides", "cpu", Decimal(2), "@resources",
         with_spec=8, decorator=1, resources=2),
    Case("flow settings join @resources", "cpu", Decimal(4), "flow", flow=4, resources=2),
    Case("gpu of @resources", "gpu", 1, "@resources", resources=1),
    Case("gpu=0 says something", "gpu", 0, "@kubernetes", decorator=0),
    Case("gpu: 1 is more than 0", "gpu", 1, "@resources", decorator=0, resources="1"),
    Case("no gpu is no statement", "gpu", None, BUILT_IN),
    Case("shared memory", "shared_memory", 2048, "@resources", decorator=1024, resources=2048),
    Case("shared memory of the variable", "shared_memory", 64, "METAFLOW_KUBERNETES_SHARED_MEMORY",
         env={"METAFLOW_KUBERNETES_SHARED_MEMORY": "64"}),
    # What is gathered from all layers.
    Case("secrets: the decorator's first", "secrets", ("d", "w", "f", "e"), f"{ALL} + {SECRETS}",
         env={SECRETS: "e,d"}, flow=["f"], with_spec="w", decorator=["d"]),
    Case("labels: key by key", "labels", {"a": "d", "b": "w", "c": "f", "e": "e"},
         f"{ALL} + {LABELS}",
         env={LABELS: "a=e,b=e,c=e,e=e"}, flow={"a": "f", "b": "f", "c": "f"},
         with_spec="a=w,b=w", decorator={"a": "d"}),
    Case("labels of several --with", "labels", {"a": "d", "b": "w", "c": "x"}, "@kubernetes + --with + --with, later",
         decorator={"a": "d"}, with_spec="a=w,b=w", later_with="b=x,c=x"),
    Case("labels: --override's key wins", "labels", {"a": "o", "b": "d"}, "--override + @kubernetes",
         decorator={"a": "d", "b": "d"}, override="a=o"),
    Case("annotations", "annotations", {"a": "1", "b": "2"}, "@kubernetes + METAFLOW_KUBERNETES_ANNOTATIONS",
         env={"METAFLOW_KUBERNETES_ANNOTATIONS": "a=0,b=2"}, decorator={"a": 1}),
    Case("security context, field by field", "security_context", {"runAsUser": 1, "runAsGroup": 2},
         "@kubernetes + flow",
         flow={"run_as_user": 0, "runAsGroup": 2}, decorator={"run_as_user": 1}),
    # What is replaced as a whole.
    Case("node selector", "node_selector", {"a": "d"}, "@kubernetes",
         env={"METAFLOW_KUBERNETES_NODE_SELECTOR": "a=e,b=e"}, decorator="a=d"),
    Case("tolerations", "tolerations", (), "@kubernetes",
         env={"METAFLOW_KUBERNETES_TOLERATIONS": '[{"operator": "Exists"}]'}, decorator=[]),
    Case("pull secrets", "image_pull_secrets", ("d",), "@kubernetes",
         env={"METAFLOW_KUBERNETES_IMAGE_PULL_SECRETS": '["e"]'}, decorator=["d"]),
]  # fmt: skip


def layer(case: Case, value: object, source: str) -> Layer:
    grouped = isinstance(value, dict) and "pod_settings" in value
    return Layer(value if grouped else {case.name: value}, source)  # type: ignore[arg-type]


def configured(case: Case, folder: Path) -> Configuration:
    (folder / "project").mkdir()
    for path, keys in case.files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        # Of what is there beside the one that wins, each says something else.
        values = {key: 2 if f"{path}: {key}" == case.source else 9 for key in keys.split()}
        file.write_text(json.dumps(values))
    homes = {"HEADWAY_HOME": str(folder / "home"), "METAFLOW_HOME": str(folder / "theirs")}
    return Configuration.load({**homes, **case.env}, folder / "project", case.profile)


def resolve(case: Case, folder: Path) -> Resolved:
    return resolve_kubernetes(
        "train",
        decorator=layer(case, case.decorator, "@kubernetes"),
        with_specs=[
            layer(case, case.with_spec, "--with"),
            layer(case, case.later_with, "--with, later"),
        ],
        flow_settings=layer(case, case.flow, "flow"),
        resources_decorator=None if case.resources is None else layer(case, case.resources, "@resources"),
        configuration=configured(case, folder),
        overrides=layer(case, case.override, "--override"),
    )


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.rule)
def test_precedence(case: Case, tmp_path: Path) -> None:
    resolved = resolve(case, tmp_path)
    assert getattr(resolved.settings, case.name) == case.value
    assert resolved.provenance[case.name].replace(f"{tmp_path}/", "") == case.source


@pytest.mark.parametrize("bare", [True, False], ids=["bare @kubernetes", "no @kubernetes"])
@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.rule)
def test_a_flows_steps_are_planned_by_the_same_table(case: Case, bare: bool, tmp_path: Path) -> None:
    """Also where a step says nothing of its pods but that it has some, or leaves that to ``--with``."""

    def spec(name: str, value: object, source: str) -> DecoratorSpec:
        return DecoratorSpec(name, {} if value is None else layer(case, value, "").values, source)

    written = [spec("resources", case.resources, "f.py:1")] if case.resources is not None else []
    late = [
        spec("kubernetes", value, source)
        for value, source in ((case.with_spec, "--with"), (case.later_with, "--with, later"))
        if value is not None
    ]
    own = spec("kubernetes", case.decorator, "f.py:1")
    if case.flow is not None:
        written.append(own._replace(beneath=(spec("kubernetes", case.flow, "@pipeline, f.py:9"),)))
    elif case.decorator is not None or bare or not late:
        written.append(own)
    node = Node("train", "end", decorators=tuple(written))
    graph = Graph("Sample", [node], "train", "train").with_decorators(late)
    overrides = [] if case.override is None else [Override("x", None, {case.name: case.override})]
    for each in (graph, Graph.from_json(json.loads(json.dumps(graph.to_json())))):
        (folder := tmp_path / str(each is graph)).mkdir()
        step = plan_steps(each, configured(case, folder), overrides)["train"]
        assert getattr(step.kubernetes, case.name) == case.value
        source = step.provenance[case.name].replace(f"{folder}/", "").replace("--override x", "--override")
        source = source.replace("@pipeline, f.py:9", "flow")
        assert source.replace(" on step train, f.py:1", "") == case.source
