"""Features about parameters, files and configurations."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from matrix.feature import Feature, Values
from matrix.graph import Node, Shape, Task
from matrix.ran import Ran
from matrix.seen import Seen


class _Given(Feature):
    """A parameter that every task has."""

    def declaration(self) -> str:
        raise NotImplementedError

    def value(self) -> Values:
        raise NotImplementedError

    def words(self) -> Sequence[str]:
        return ()

    def flow(self, shape: Shape) -> str:
        return self.declaration()

    def behind(self, command: str) -> Sequence[str]:
        return self.words() if command == "run" else ()

    def code(self, node: Node, shape: Shape) -> str:
        first = next(iter(self.value()))
        return f"self.seen_{first} = self.{first}"

    def expect(self, task: Task, shape: Shape) -> Values:
        first, value = next(iter(self.value().items()))
        return {**self.value(), f"seen_{first}": value}


class ParameterDefaults(_Given):
    """The default counts, and gives the type."""

    def declaration(self) -> str:
        return """
            d_int = Parameter("d_int", default=3)
            d_real = Parameter("d_real", default=0.5)
            d_flag = Parameter("d_flag", default=True)
            d_text = Parameter("d_text", default="wörd")
            d_none = Parameter("d_none")
        """

    def module(self) -> str:
        return "from headway import Parameter"

    def value(self) -> Values:
        return {"d_int": 3, "d_real": 0.5, "d_flag": True, "d_text": "wörd", "d_none": None}


class ParameterTypes(_Given):
    """What is typed is turned into the parameter's type."""

    def declaration(self) -> str:
        return """
            p_int = Parameter("p-int", type=int, required=True)
            p_real = Parameter("p_real", type=float)
            p_flag = Parameter("p_flag", default=True)
            p_text = Parameter("p_text", help="Text.")
        """

    def module(self) -> str:
        return "from headway import Parameter"

    def words(self) -> Sequence[str]:
        return ("--p-int", "-4", "--p_real", "1e3", "--p_flag", "false", "--p_text", "a b $HOME 'q'")

    def value(self) -> Values:
        return {"p_int": -4, "p_real": 1000.0, "p_flag": False, "p_text": "a b $HOME 'q'"}


class JsonParameter(_Given):
    """JSONType, as a default and as it is typed."""

    def declaration(self) -> str:
        return """
            j_typed = Parameter("j_typed", type=JSONType, default='[]')
            j_default = Parameter("j_default", type=JSONType, default='{"a": [1]}')
        """

    def module(self) -> str:
        return "from headway import JSONType, Parameter"

    def words(self) -> Sequence[str]:
        return ("--j_typed", '{"b": [null, 2.5, "ü"]}')

    def value(self) -> Values:
        return {"j_typed": {"b": [None, 2.5, "ü"]}, "j_default": {"a": [1]}}


class SeparatorParameter(_Given):
    """A text cut at a separator is a list."""

    def declaration(self) -> str:
        return 'cut = Parameter("cut", separator=",", default="a")'

    def module(self) -> str:
        return "from headway import Parameter"

    def words(self) -> Sequence[str]:
        return ("--cut", "x,y z,")

    def value(self) -> Values:
        return {"cut": ["x", "y z", ""]}


class MultipleParameter(_Given):
    """An option that may be given several times."""

    def declaration(self) -> str:
        return 'several = Parameter("several", multiple=True, type=int)'

    def module(self) -> str:
        return "from headway import Parameter"

    def words(self) -> Sequence[str]:
        return ("--several", "3", "--several", "1")

    def value(self) -> Values:
        return {"several": (3, 1)}


class CallableDefault(_Given):
    """A default that is a function is called once for a run, with what it may know."""

    def declaration(self) -> str:
        return """
            called = Parameter("called", default=worked_out, type=str)
            called_when = Parameter("called_when", default=another_each_time, type=str)
        """

    def module(self) -> str:
        return """
            import uuid
            from headway import Parameter
            def worked_out(context):
                return f"{context.parameter_name} of {context.user_name} in {context.flow_name[-4:]}"
            def another_each_time(context):
                return uuid.uuid4().hex
        """

    def value(self) -> Values:
        return {"called": "called of ann in Flow"}

    def code(self, node: Node, shape: Shape) -> str:
        return f"{super().code(node, shape)}\nself.seen_when = self.called_when"

    def check(self, seen: Seen) -> None:
        tasks = seen.tasks.values()
        values = {task.values[name] for task in tasks for name in ("called_when", "seen_when")}
        assert len(values) == 1, "once a run, whatever its tasks ask"

    def check_client(self, ran: Ran) -> None:
        parameters = ran.client()["_parameters"].task
        assert ran.client()[ran.shape.last.name].task.data.called_when == parameters.data.called_when

    def check_resume(self, ran: Ran) -> None:
        runs = [ran.client(name) for name in ("broken", "resumed")]
        assert len({run["_parameters"].task.data.called_when for run in runs}) == 1, "not once more"


class ParameterFromEnvironment(_Given):
    """``METAFLOW_RUN_<NAME>`` and ``HEADWAY_RUN_<NAME>`` give it where the command line does not."""

    def declaration(self) -> str:
        return """
            from_env = Parameter("from-env", default=1)
            from_ours = Parameter("from_ours", default=1)
        """

    def module(self) -> str:
        return "from headway import Parameter"

    def environ(self) -> Mapping[str, str]:
        return {"METAFLOW_RUN_FROM_ENV": "42", "HEADWAY_RUN_FROM_OURS": "43"}

    def value(self) -> Values:
        return {"from_env": 42, "from_ours": 43}


class ParameterIsReadOnly(Feature):
    """No step may set one."""

    def module(self) -> str:
        return "from headway import Parameter"

    def flow(self, shape: Shape) -> str:
        return 'frozen = Parameter("frozen", default=1)'

    def code(self, node: Node, shape: Shape) -> str:
        return """\
try:
    self.frozen = 2
    self.thawed = True
except AttributeError as error:
    self.thawed = False"""

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"frozen": 1, "thawed": False}


class IncludedFile(_Given):
    """A file's content, as text and as bytes, from a default and from the command line; a missing one is None."""

    def declaration(self) -> str:
        return """
            included = IncludeFile("included", default="included.txt")
            included_raw = IncludeFile("included_raw", is_text=False)
            included_not = IncludeFile("included_not", required=False)
        """

    def module(self) -> str:
        return "from headway import IncludeFile"

    def files(self) -> Mapping[str, str]:
        return {"included.txt": "lines\nof täxt\n"}

    def words(self) -> Sequence[str]:
        return ("--included_raw", "./included.txt")

    def value(self) -> Values:
        text = "lines\nof täxt\n"
        return {"included": text, "included_raw": text.encode(), "included_not": None}

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"seen_included": self.value()["included"]}

    def check_client(self, ran: Ran) -> None:
        data = ran.client().data
        assert data is not None
        assert (data.included, data.included_raw, data.included_not) == tuple(self.value().values())


class _Configured(Feature):
    """A step's copy of what a configuration says."""

    def module(self) -> str:
        return "from headway import Config, Parameter, config_expr, environment"

    def copies(self) -> Mapping[str, tuple[str, Any]]:
        """Artifact, expression within a step, value."""
        raise NotImplementedError

    def code(self, node: Node, shape: Shape) -> str:
        return "\n".join(f"self.{name} = {expression}" for name, (expression, _) in self.copies().items())

    def expect(self, task: Task, shape: Shape) -> Values:
        return {name: value for name, (_, value) in self.copies().items()}


class ConfigDefault(_Configured):
    """A default value, read with dots and brackets, which nobody can change."""

    def flow(self, shape: Shape) -> str:
        return 'c_default = Config("c_default", default_value={"a": {"b": [1, 2]}, "c": "d"})'

    def copies(self) -> Mapping[str, tuple[str, Any]]:
        return {
            "c_dotted": ("list(self.c_default.a.b)", [1, 2]),
            "c_bracket": ('self.c_default["c"]', "d"),
            "c_whole": ("self.c_default.to_dict()", {"a": {"b": [1, 2]}, "c": "d"}),
            "c_frozen": ("_frozen(self.c_default)", True),
        }

    def module(self) -> str:
        return f"""
            {super().module()}
            def _frozen(config):
                try:
                    config["c"] = 1
                except TypeError:
                    return True
                return False
        """


class ConfigFile(_Configured):
    """From a file, by default and by ``--config``."""

    def flow(self, shape: Shape) -> str:
        return """
            c_file = Config("c_file", default="default.json")
            c_other = Config("c_other", default="default.json")
        """

    def files(self) -> Mapping[str, str]:
        return {"default.json": json.dumps({"of": "default"}), "other.json": json.dumps({"of": ["other"]})}

    def before(self, command: str) -> Sequence[str]:
        return ("--config", "c_other", "other.json") if command == "run" else ()

    def copies(self) -> Mapping[str, tuple[str, Any]]:
        return {
            "c_of_file": ("self.c_file.of", "default"),
            "c_of_other": ("list(self.c_other.of)", ["other"]),
        }


class ConfigValueTyped(_Configured):
    """By ``--config-value``; a resumed run has the configurations of the first one."""

    def flow(self, shape: Shape) -> str:
        return 'c_typed = Config("c_typed", default_value={"n": 0})'

    def before(self, command: str) -> Sequence[str]:
        return ("--config-value", "c_typed", '{"n": 5}') if command == "run" else ()

    def copies(self) -> Mapping[str, tuple[str, Any]]:
        return {"c_n": ("self.c_typed.n", 5)}


class ConfigParser(_Configured):
    """What a parser makes of a text."""

    def flow(self, shape: Shape) -> str:
        return 'c_parsed = Config("c_parsed", default_value="3x4", parser=_sides)'

    def module(self) -> str:
        return f"""
            {super().module()}
            def _sides(text):
                return dict(zip("ab", map(int, text.split("x"))))
        """

    def copies(self) -> Mapping[str, tuple[str, Any]]:
        return {"c_area": ("self.c_parsed.a * self.c_parsed.b", 12)}


class ConfigInParameter(_Configured):
    """A parameter's default from a configuration, and from an expression over it."""

    def flow(self, shape: Shape) -> str:
        return """
            c_base = Config("c_base", default_value={"size": 6})
            c_size = Parameter("c_size", default=c_base.size)
            c_twice = Parameter("c_twice", default=config_expr("c_base.size * 2"))
        """

    def copies(self) -> Mapping[str, tuple[str, Any]]:
        return {"c_sizes": ("(self.c_size, self.c_twice)", (6, 12))}


class ConfigInDecorator(_Configured):
    """A decorator's setting from a configuration."""

    group = "tried"  # elsewhere that step has an @environment already

    def flow(self, shape: Shape) -> str:
        return 'c_deco = Config("c_deco", default_value={"vars": {"MATRIX_FROM_CONFIG": "yes"}})'

    def over(self, node: Node, shape: Shape) -> Sequence[str]:
        return ("@environment(vars=c_deco.vars)",) if node.name == shape.victim else ()

    def copies(self) -> Mapping[str, tuple[str, Any]]:
        return {"c_in_environment": ('os.environ.get("MATRIX_FROM_CONFIG")', None)}

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"c_in_environment": "yes" if task.step == shape.victim else None}


FEATURES = (
    ParameterDefaults(), ParameterTypes(), JsonParameter(), SeparatorParameter(), MultipleParameter(),
    CallableDefault(), ParameterFromEnvironment(), ParameterIsReadOnly(), IncludedFile(), ConfigDefault(),
    ConfigFile(), ConfigValueTyped(), ConfigParser(), ConfigInParameter(), ConfigInDecorator(),
)  # fmt: skip
