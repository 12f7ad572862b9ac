"""Features about decorators that do not make steps fail, and about what changes flows before they run."""

from collections.abc import Mapping, Sequence

from matrix.feature import Feature, Values
from matrix.graph import Node, Shape, Task
from matrix.ran import Ran


class Environment(Feature):
    """``@environment`` sets variables for its step only."""

    def module(self) -> str:
        return "from headway import environment"

    def over(self, node: Node, shape: Shape) -> Sequence[str]:
        return ('@environment(vars={"MATRIX_STEP": "' + node.name + '", "MATRIX_NUMBER": 3})',) * (
            node.name in {shape.first.name, shape.victim}
        )

    def code(self, node: Node, shape: Shape) -> str:
        return 'self.variables = [os.environ.get(name) for name in ("MATRIX_STEP", "MATRIX_NUMBER")]'

    def expect(self, task: Task, shape: Shape) -> Values:
        has = task.step in {shape.first.name, shape.victim}
        return {"variables": [task.step, "3"] if has else [None, None]}


class InlineSecrets(Feature):
    """Secrets written into the flow are variables of their step only."""

    def module(self) -> str:
        return "from headway import secrets"

    def over(self, node: Node, shape: Shape) -> Sequence[str]:
        if node.name != shape.victim:
            return ()
        return (
            '@secrets(sources=[{"type": "inline", "id": "matrix", "options": {"env_vars": {"MATRIX_SECRET": "hush"}}}])',
        )

    def code(self, node: Node, shape: Shape) -> str:
        return 'self.secret_length = len(os.environ.get("MATRIX_SECRET", ""))'

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"secret_length": 4 if task.step == shape.victim else 0}


class ResourcesHere(Feature):
    """``@resources`` changes nothing for a step on this machine."""

    in_pods = "the pods of the sample are smaller than it asks for"

    def module(self) -> str:
        return "from headway import resources"

    def over(self, node: Node, shape: Shape) -> Sequence[str]:
        return ("@resources(cpu=200, memory=9_000_000, gpu=7)",) if node.kind != "parallel" else ()

    def code(self, node: Node, shape: Shape) -> str:
        return "self.rich = True"

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"rich": True}


class Project(Feature):
    """``@project`` gives the run a project and a branch: for steps, and as tags."""

    def module(self) -> str:
        return "from headway import project"

    def over_flow(self) -> Sequence[str]:
        return ('@project(name="matrix")',)

    def before(self, command: str) -> Sequence[str]:
        return ("--branch", "tried")

    def code(self, node: Node, shape: Shape) -> str:
        names = ("project_name", "branch_name", "is_production", "is_user_branch")
        return f"self.of_project = ({', '.join(f'current.{name}' for name in names)})"

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"of_project": ("matrix", "test.tried", False, False)}

    def check_client(self, ran: Ran) -> None:
        assert {"project:matrix", "project_branch:test.tried"} <= ran.client().system_tags

    def check_commands(self, ran: Ran) -> None:
        told = ran.typed("tag", "list", "--run-id", ran.id_of("run")).stdout
        assert "project_branch:test.tried" in told


class UserStepDecorator(Feature):
    """A decorator of one's own, as a generator, does its things before and after the step."""

    def module(self) -> str:
        return """
            from headway import user_step_decorator
            @user_step_decorator
            def around(step_name, flow, inputs, attributes):
                flow.noted = [f"before {step_name} {attributes['mark']}"]
                yield
                flow.noted.append("after")
        """

    def over(self, node: Node, shape: Shape) -> Sequence[str]:
        return ('@around(mark="m")',)

    def code(self, node: Node, shape: Shape) -> str:
        return 'self.noted = [*self.noted, "within"]'

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"noted": [f"before {task.step} m", "within", "after"]}


class UserStepClass(Feature):
    """A decorator of one's own, as a class with pre_step and post_step."""

    def module(self) -> str:
        return """
            from headway import UserStepDecorator
            class counting(UserStepDecorator):
                def init(self, by=1):
                    self.by = by
                def pre_step(self, step_name, flow, inputs):
                    flow.counted = self.by
                def post_step(self, step_name, flow, exception=None):
                    flow.counted = flow.counted * 2
                    return exception
        """

    def over(self, node: Node, shape: Shape) -> Sequence[str]:
        return ("@counting(by=3)",) if node.name == shape.victim else ()

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"counted": 6} if task.step == shape.victim else {}


class StepMutated(Feature):
    """A mutator gives its step a decorator."""

    def module(self) -> str:
        return """
            from headway import StepMutator
            class with_mark(StepMutator):
                def init(self, value):
                    self.value = value
                def mutate(self, mutable_step):
                    variables = {"vars": {"MATRIX_MUTATED": self.value}}
                    mutable_step.add_decorator("environment", deco_kwargs=variables)
        """

    def over(self, node: Node, shape: Shape) -> Sequence[str]:
        return ('@with_mark("by step")',) if node is shape.last else ()

    def code(self, node: Node, shape: Shape) -> str:
        return 'self.mutated = os.environ.get("MATRIX_MUTATED")'

    def senseless(self, shape: Shape) -> str:
        names = {shape.first.name, shape.victim, shape.last.name}
        return "" if len(names) == 3 else "its step has variables already"

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"mutated": "by step" if task.step == shape.last.name else None}


class FlowMutated(Feature):
    """A mutator of the flow adds a parameter, and sees steps and configurations."""

    def module(self) -> str:
        return """
            from headway import FlowMutator, Parameter
            class with_size(FlowMutator):
                def pre_mutate(self, mutable_flow):
                    names = sorted(name for name, _ in mutable_flow.steps)
                    mutable_flow.add_parameter("added_steps", Parameter("added_steps", default=",".join(names)))
        """

    def over_flow(self) -> Sequence[str]:
        return ("@with_size",)

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"added_steps": ",".join(sorted(shape.by_name))}


class Inheritance(Feature):
    """A base class's parameters, constants and methods are the flow's."""

    def module(self) -> str:
        return """
            from headway import Parameter
            class Base(FlowSpec):
                INHERITED = 5
                inherited = Parameter("inherited", default=7)
                def times(self):
                    return self.INHERITED * self.inherited
        """

    def base(self) -> str:
        return "Base"

    def code(self, node: Node, shape: Shape) -> str:
        return "self.product = self.times()"

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"INHERITED": 5, "inherited": 7, "product": 35}


class AttachedLate(Feature):
    """``--with`` gives a decorator to every step that has none of its kind."""

    def before(self, command: str) -> Sequence[str]:
        return ("--with", "matrix_late:mark=7")

    def module(self) -> str:
        return """
            from headway import user_step_decorator
            @user_step_decorator
            def matrix_late(step_name, flow, inputs, attributes):
                flow.came_late = attributes.get("mark")
                yield
        """

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"came_late": 7}


class DefaultDecospecs(Feature):
    """``METAFLOW_DEFAULT_DECOSPECS`` does so for every run."""

    def environ(self) -> Mapping[str, str]:
        return {"METAFLOW_DEFAULT_DECOSPECS": "matrix_always:mark=8"}

    def module(self) -> str:
        return """
            from headway import user_step_decorator
            @user_step_decorator
            def matrix_always(step_name, flow, inputs, attributes):
                flow.came_always = attributes.get("mark")
                yield
        """

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"came_always": 8}


FEATURES = (
    Environment(), InlineSecrets(), ResourcesHere(), Project(), UserStepDecorator(), UserStepClass(),
    StepMutated(), FlowMutated(), Inheritance(), AttachedLate(), DefaultDecospecs(),
)  # fmt: skip
