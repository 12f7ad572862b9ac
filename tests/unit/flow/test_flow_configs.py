"""``Config``, ``config_expr`` and ``ConfigValue``: declared, read, worked out, and read-only."""

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from flow_sources import FILE, NAMES, body_source, flow_class

from headway.errors import HeadwayError, UsageError
from headway.flow.config_value import ConfigValue
from headway.flow.configs import Config
from headway.flow.configure import GivenConfigs
from headway.flow.declare import declare
from headway.flow.declared import Declared
from headway.flow.delayed import Delayed, config_expr
from headway.flow.parameters import ParameterContext
from headway.flow.parse import parse_flow
from headway.flow.parsers import yaml_parser
from headway.flow.values import JSONType

NAMES.update(Config=Config, config_expr=config_expr, yaml_parser=yaml_parser)

CONTEXT = ParameterContext("F", "ann", "", lambda line: None, "local")

LAST = """
@step
def start(self):
    pass
"""


def declared(body: str, files: Any = None, values: Any = None, **more: Any) -> Declared:
    """A flow of this body, its configurations read; files and values by name."""
    given = GivenConfigs(
        {name: (str(path), f"--config {name}") for name, path in (files or {}).items()},
        {name: (value, f"--config-value {name}") for name, value in (values or {}).items()},
    )
    return declare(
        flow_class(body_source(dedent(body) + ("" if "@step" in body else LAST))), given, CONTEXT, **more
    )


def test_a_value_is_a_read_only_dict_with_attributes() -> None:
    value = ConfigValue({"model": {"depth": 4, "layers": [{"size": 2}]}, "a-b": 1, "items": 9})
    assert value.model.depth == value["model"]["depth"] == 4
    assert value.model.layers[0].size == 2
    assert (value["a-b"], value["items"], value.get("no", 7)) == (1, 9, 7)
    assert json.loads(json.dumps(value)) == value.to_dict() == value
    assert isinstance(value, dict)
    assert {**value.model} == {"depth": 4, "layers": [{"size": 2}]}
    assert "model" in dir(value)
    assert "a-b" not in dir(value)
    assert value.copy() == copy.copy(value) == copy.deepcopy(value) == value
    assert ConfigValue.fromkeys(["a"], 1) == {"a": 1}


def test_the_plain_dict_stands_under_the_name_that_programs_know() -> None:
    value = ConfigValue({"model": {"depth": 4}})
    assert type(value._data) is dict
    assert value._data == {"model": {"depth": 4}}
    assert type(value._data["model"]) is ConfigValue
    with pytest.raises(TypeError, match="ConfigValue is immutable"):
        value._data = {}  # type: ignore[misc]
    assert ConfigValue({"_data": 3})["_data"] == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.update(a=1),
        lambda value: value.__setitem__("a", 1),
        lambda value: setattr(value, "a", 1),
        lambda value: value.pop("model"),
        lambda value: value.popitem(),
        lambda value: value.clear(),
        lambda value: value.setdefault("b", 1),
        lambda value: value.__delitem__("model"),
        lambda value: delattr(value, "model"),
        lambda value: value.__ior__({"b": 1}),
        lambda value: value.model.update(depth=1),
    ],
)
def test_nothing_changes_a_value(change: Callable[[Any], Any]) -> None:
    value = ConfigValue({"model": {"depth": 4}})
    with pytest.raises(TypeError, match="ConfigValue is immutable"):
        change(value)
    assert value == {"model": {"depth": 4}}


def test_a_value_that_is_not_there_is_named() -> None:
    with pytest.raises(AttributeError, match=r"no 'modle'\. Did you mean model"):
        _ = ConfigValue({"model": 1}).modle


def test_a_dict_taken_from_a_value_can_be_changed_and_a_pickle_gives_it_back() -> None:
    value = ConfigValue({"model": {"depth": [{"a": 1}]}})
    changed = value.to_dict()
    changed["model"]["depth"][0]["a"] = 2
    assert value.model.depth[0].a == 1
    again = pickle.loads(pickle.dumps(value))
    assert again == value
    assert type(again.model) is ConfigValue


def test_decorators_and_parameters_get_what_configurations_hold() -> None:
    found = declared(
        """
        cfg = Config("cfg", default_value={"cpu": 2, "name": "x", "retry": {"times": 1}, "tags": ["a", "b"]})
        alpha = Parameter("alpha", default=cfg.cpu)
        label = Parameter("label", default=config_expr("cfg.name.upper()"), required=cfg["cpu"])
        several = Parameter("several", default=cfg.retry)

        @environment(vars={"N": cfg.name, "T": config_expr("','.join(cfg.tags)"), cfg.name: 1})
        @kubernetes(cpu=cfg.cpu, labels={"a": [cfg.retry.times, (cfg["retry"]["times"],)]})
        @retry(minutes_between_retries=0, **cfg.retry)
        @step
        def start(self):
            pass
        """
    )
    environment, kubernetes, retry = found.decorators["start"]
    assert environment.attributes == {"vars": {"N": "x", "T": "a,b", "x": 1}}
    assert kubernetes.attributes == {"cpu": 2, "labels": {"a": [1, (1,)]}}
    assert retry.attributes == {"minutes_between_retries": 0, "times": 1}
    parameters = found.parameters
    assert (parameters["alpha"].default, parameters["alpha"].type) == (2, int)
    assert (parameters["label"].default, parameters["label"].required) == ("X", 2)
    assert (parameters["several"].default, parameters["several"].type) == ({"times": 1}, JSONType)
    assert type(parameters["several"].default) is dict


def test_what_may_not_be_there_is_asked_for_with_get() -> None:
    found = declared(
        """
        cfg = Config("cfg", default_value={"cpu": 2, "gpu": None, "deep": {"x": 1}, "which": "deep", "tags": []})
        none = Config("none")
        alpha = Parameter("alpha", default=cfg.get("alpha", 0.5))

        @environment(vars={
            "a": cfg.get("cpu", 1), "b": cfg.get("cpus", 1), "c": cfg.get("gpu", 1), "d": cfg.get("nothing"),
            "e": cfg.deep.get("x"), "f": cfg.get("deep").x, "g": cfg.get(cfg.which).get("y", cfg.cpu),
            "h": none.get("x", 3), "i": cfg.tags.get(0, "first"), "j": config_expr("cfg").get("cpu"),
        })
        @step
        def start(self):
            pass
        """
    )
    assert found.decorators["start"][0].attributes["vars"] == {
        "a": 2, "b": 1, "c": None, "d": None, "e": 1, "f": 1, "g": 2, "h": 3, "i": "first", "j": 2,
    }  # fmt: skip
    assert (found.parameters["alpha"].default, found.parameters["alpha"].type) == (0.5, float)
    with pytest.raises(UsageError, match=r"cfg\.get\('a', 1\)\.b cannot be worked out"):
        declared('cfg = Config("cfg", default_value={})\np = Parameter("p", default=cfg.get("a", 1).b)')


def test_a_whole_configuration_and_one_chosen_by_another() -> None:
    found = declared(
        """
        which = Config("which", default_value='{"key": "fast"}')
        cfg = Config("cfg", default_value={"fast": {"times": 1}, "slow": {"times": 2}})
        @environment(vars=which)
        @retry(**cfg[which.key])
        @step
        def start(self):
            pass
        """
    )
    assert [spec.attributes for spec in found.decorators["start"]] == [
        {"vars": {"key": "fast"}},
        {"times": 1},
    ]


def test_the_names_of_a_configuration_are_its_values_not_its_declaration() -> None:
    found = declared(
        """
        cfg = Config("my-cfg", default_value={"name": "n", "default": "d", "parser": "p", "keys": 1})
        @environment(vars={"A": cfg.name, "B": cfg.default, "C": cfg.parser, "D": config_expr("my_cfg").name})
        @step
        def start(self):
            pass
        """
    )
    assert found.decorators["start"][0].attributes["vars"] == {"A": "n", "B": "d", "C": "p", "D": "n"}


def test_where_a_value_comes_from(tmp_path: Path) -> None:
    body = f'cfg = Config("cfg", default={str(tmp_path / "default.json")!r}, help="The model.")'
    (tmp_path / "default.json").write_text('{"from": "default"}')
    (tmp_path / "given.json").write_text('{"from": "file"}')
    assert declared(body).values == {"cfg": {"from": "default"}}
    assert declared(body, {"CFG": tmp_path / "given.json"}).values == {"cfg": {"from": "file"}}
    assert declared(body, None, {"cfg": '{"from": "value"}'}).values == {"cfg": {"from": "value"}}
    assert declared(body, None, {"cfg": {"from": "a variable"}}).values == {"cfg": {"from": "a variable"}}
    stored = declared(body, {"cfg": "/no/such/file"}, stored={"cfg": {"from": "the run before"}})
    assert stored.values == {"cfg": {"from": "the run before"}}


def test_defaults_that_are_functions_and_parsers() -> None:
    found = declared(
        """
        a = Config("a", default_value=lambda context: {"who": context.user_name, "what": context.parameter_name})
        b = Config("b", default_value="x: [1, 2]", parser=yaml_parser)
        c = Config("c", default_value={"x": 1}, parser=".yaml_parser")
        d = Config("d", default_value="1,2", parser=lambda text: text.split(","), plain=True)
        e = Config("e", default_value="as it is", plain=True)
        f = Config("f")
        g = Config("g", default_value=lambda context: None)
        h = Config("h", default_value='{"x": 2}', parser="json.loads")
        """
    )
    assert found.values == {
        "a": {"who": "ann", "what": "a"}, "b": {"x": [1, 2]}, "c": {"x": 1}, "d": ["1", "2"],
        "e": "as it is", "f": None, "g": None, "h": {"x": 2},
    }  # fmt: skip


def test_null_is_a_configuration_that_is_not_given() -> None:
    assert declared('cfg = Config("cfg")', values={"cfg": "null"}).values == {"cfg": None}
    with pytest.raises(UsageError, match="holds None"):
        declared('cfg = Config("cfg", parser=lambda text: None)', values={"cfg": "{}"})


@pytest.mark.parametrize(
    ("body", "values", "words"),
    [
        ('cfg = Config("cfg", required=True)', {}, "'cfg' is required.\nGive it as --config cfg PATH"),
        ('cfg = Config("cfg")', {"cgf": "{}"}, "no configuration 'cgf'.\nDid you mean cfg?"),
        ('cfg = Config("cfg")', {"cfg": "{a"}, "--config-value cfg is not JSON: .* line 1, column 2"),
        ('cfg = Config("cfg")', {"cfg": "3"}, "holds 3 .int. and no names with values"),
        ('cfg = Config("cfg", default="/no/such")', {}, r"from /no/such \(its default\): No such file"),
        ('cfg = Config("cfg", parser="json.lods")', {"cfg": "{}"}, "parser 'json.lods' is not found"),
        ('cfg = Config("cfg", parser="nowhere.at_all")', {"cfg": "{}"}, "parser 'nowhere.at_all' is not found"),
        ('cfg = Config("cfg", parser=int)', {"cfg": "x"}, "refused by its parser: ValueError: .*: 'x'$"),
        ('cfg = Config("cfg", parser=yaml_parser)', {"cfg": "a: ["}, "'cfg' from .*: This is not YAML"),
        ('cfg = Config("cfg", default_value=lambda c: 1 / 0)', {}, "function failed: ZeroDivisionError"),
        ('cfg = Config("a b")', {}, "this is no name"),
        ('a = Config("cfg")\nb = Config("CFG")', {}, "its name is taken by another one"),
        ('a = Config("a")\nb = Config("b", default_value=a.x)', {}, "depends on a configuration"),
        ('a = Config("a", default_value={})\np = Parameter("p", default=a.x)', {}, "no 'x'"),
        ('a = Config("a")\np = Parameter("p", default=a.x)', {}, "a configuration that is not given"),
        ('a = Config("a")\np = Parameter("p", default=config_expr("b.x"))', {}, "'b' is not defined"),
        ('a = Config("a", default_value={"x": 1})\np = Parameter("p", default=a["y"])', {}, "no 'y'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(body: str, values: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        declared(body, values=values)
    assert caught.value.exit_code == 2


def test_a_parser_whose_module_is_broken_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "broken_parser.py").write_text("def parse(:")
    with pytest.raises(
        UsageError, match=r"'broken_parser.parse' .* its import failed: SyntaxError: invalid syntax"
    ):
        declared('cfg = Config("cfg", parser="broken_parser.parse")', values={"cfg": "{}"})


def test_errors_of_the_declaration_itself() -> None:
    for arguments, words in (
        ('"cfg", default="a", default_value={}', "both default and default_value"),
        ("3", "Config '3': this is no name"),
        ("None", "Config 'None': this is no name"),
    ):
        # Told by the flow's check, and no traceback from the class's body.
        flow_class(body_source(f"cfg = Config({arguments})"))
        with pytest.raises(UsageError, match=words) as caught:
            declared(f"cfg = Config({arguments})")
        assert getattr(caught.value, "file", None) == FILE
    with pytest.raises(UsageError, match="put into a text before it is known"):
        flow_class(body_source('cfg = Config("cfg")\nimage = f"{cfg.name}:1"'))
    with pytest.raises(UsageError, match=r"cfg\.name is put into a text before it is known"):
        flow_class(body_source('cfg = Config("cfg")\nimage = str(cfg.name)'))
    with pytest.raises(UsageError, match=r"as a file .* and as a value"):
        declared('cfg = Config("cfg")', {"cfg": "a"}, {"cfg": "{}"})
    with pytest.raises(UsageError, match="unpacks 'a', which is no dict"):
        declared(
            'c = Config("c", default_value={"x": "a"})\n@retry(**c.x)\n@step\ndef start(self):\n    pass'
        )
    with pytest.raises(TypeError, match="not iterable"):
        list(Config("cfg").models)  # type: ignore[call-overload]


def test_what_stands_for_a_value_is_left_alone_by_python() -> None:
    delayed = Config("cfg").a["b-c"].d
    assert repr(delayed) == "cfg.a['b-c'].d"
    assert repr(config_expr("cfg.x + 1").y) == "config_expr('cfg.x + 1').y"
    assert repr(config_expr("cfg").get("a", 1)["b"]) == "cfg.get('a', 1).b"
    assert repr(copy.deepcopy(delayed)) == repr(copy.copy(delayed)) == repr(delayed)
    assert isinstance(delayed, Delayed)
    assert not hasattr(delayed, "__len__")
    assert not callable(delayed)


def test_the_cases_of_a_switch() -> None:
    body = """
cfg = Config("cfg", default_value={"fast": "f", "n": {"slow": 2}, "list": ["x"]})
@step
def start(self):
    self.next({self.cfg.CASE: self.a, self.cfg.n["slow"]: self.b, "z": self.a}, condition="kind")
@step
def a(self):
    self.next(self.end)
@step
def b(self):
    self.next(self.end)
@step
def end(self):
    pass
"""

    def graph(case: str) -> Any:
        source = body_source(body.replace("CASE", case))
        cls = flow_class(source)
        return parse_flow(cls, source, declare(cls, GivenConfigs(), CONTEXT))

    assert graph("fast")["start"].cases == (("f", "a"), ("2", "b"), ("z", "a"))
    assert graph("list[0]")["start"].cases[0] == ("x", "a")
    for case, words in (
        ("fst", "does not have.\nDid you mean fast"),
        ("n", "which is"),
        ("list[4]", "does not have"),
    ):
        with pytest.raises(HeadwayError, match=words):
            graph(case)
    body = body.replace("self.cfg.CASE", "self.cgf.CASE")
    with pytest.raises(HeadwayError, match="'cgf' is no configuration of the flow"):
        graph("fast")
