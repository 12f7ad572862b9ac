"""Features about where a task stands: foreach, inputs, gangs, switches, ``current``."""

from matrix.feature import Feature, Values
from matrix.graph import Node, Shape, Task
from matrix.ran import Ran
from matrix.seen import Seen


class AllTasks(Feature):
    """The tasks are those that the graph says, no more and no fewer."""

    def check(self, seen: Seen) -> None:
        assert set(seen.tasks) == set(seen.shape.tasks)
        assert len({task.pathspec for task in seen.tasks.values()}) == len(seen.tasks)

    def check_client(self, ran: Ran) -> None:
        assert sum(len(list(step)) for step in ran.client()) == len(ran.shape.tasks)
        assert {step.id for step in ran.client()} == {task.step for task in ran.shape.tasks.values()}


class ForeachStack(Feature):
    """Index, number and value of every foreach around a task, the outermost first."""

    def senseless(self, shape: Shape) -> str:
        if "parallel" in shape.kinds:
            return "gangs have no foreach stack"
        return ""

    def code(self, node: Node, shape: Shape) -> str:
        return "self.stack = [tuple(each) for each in self.foreach_stack() or []]"

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"stack": list(task.stack)}


class IndexAndInput(Feature):
    """``index`` and ``input`` are those of the innermost foreach, None outside."""

    def senseless(self, shape: Shape) -> str:
        return "gangs have ranks" if "parallel" in shape.kinds else ""

    def code(self, node: Node, shape: Shape) -> str:
        return "self.place = (self.index, self.input)"

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"place": (task.stack[-1][0], task.stack[-1][2]) if task.stack else (None, None)}

    def check_client(self, ran: Ran) -> None:
        for key, seen in ran.seen("client").tasks.items():
            index = next(t for t in ran.client()[key.step] if t.pathspec == seen.pathspec).index
            assert index == (key.where[-1] if key.where else None), seen.pathspec


class JoinInputs(Feature):
    """A join's inputs: their number, their order, the first, the last, and their steps' artifacts."""

    def senseless(self, shape: Shape) -> str:
        return "" if shape.joins else "there is no join"

    def code(self, node: Node, shape: Shape) -> str:
        return "self.mine = (current.step_name, list(self.where))"

    def join(self, node: Node, shape: Shape) -> str:
        return f"""\
self.theirs = [each.mine for each in inputs]
self.ends_of_inputs = (len(inputs), inputs[0].mine, inputs[-1].mine)
{self.code(node, shape)}"""

    def expect(self, task: Task, shape: Shape) -> Values:
        if shape.by_name[task.step].kind != "join":
            return {}
        mine = [(parent.step, list(parent.key.where)) for parent in task.parents]
        return {"theirs": mine, "ends_of_inputs": (len(mine), mine[0], mine[-1])}


class InputsByName(Feature):
    """A split's join reaches each branch by the name of its last step."""

    def senseless(self, shape: Shape) -> str:
        if any(shape.by_name[join.closes].kind == "split" for join in shape.joins):
            return ""
        return "no join closes a split"

    def code(self, node: Node, shape: Shape) -> str:
        return "self.branch_name = current.step_name"

    def join(self, node: Node, shape: Shape) -> str:
        names = self._names(node, shape)
        pairs = ", ".join(f"({name!r}, inputs.{name}.branch_name)" for name in names)
        return f"self.named = [{pairs}]\nself.branch_name = current.step_name"

    def _names(self, node: Node, shape: Shape) -> list[str]:
        if shape.by_name[node.closes].kind != "split":
            return []
        return [parent.step for parent in shape.of(node.name)[0].parents]

    def expect(self, task: Task, shape: Shape) -> Values:
        if shape.by_name[task.step].kind != "join":
            return {}
        return {"named": [(name, name) for name in self._names(shape.by_name[task.step], shape)]}


class Gang(Feature):
    """The ranks of a gang know each other; others are in none."""

    def senseless(self, shape: Shape) -> str:
        return "" if "parallel" in shape.kinds else "there is no gang"

    def code(self, node: Node, shape: Shape) -> str:
        if shape.opened_by(node.name):
            return """\
gang = current.parallel
self.in_gang = (gang.node_index, gang.num_nodes, self.input, current.is_parallel)"""
        return 'self.in_gang = (None, "parallel" in current, current.is_parallel)'

    def expect(self, task: Task, shape: Shape) -> Values:
        if shape.opened_by(task.step):
            index = task.key.where[-1]
            return {"in_gang": (index, 2, index, True)}
        return {"in_gang": (None, False, False)}


class CurrentFacts(Feature):
    """``current`` says which task this is, as the client and the commands name it."""

    def code(self, node: Node, shape: Shape) -> str:
        return """\
self.told = {name: getattr(current, name) for name in ("flow_name", "run_id", "step_name", "task_id", "username")}
self.told["pathspec"] = current.pathspec
self.running = (current.is_running_flow, current.retry_count, "card_of_nobody" in current, current.get("nobody", 3))"""

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"running": (True, 0, False, 3)}

    def check(self, seen: Seen) -> None:
        for key, task in seen.tasks.items():
            told = task.values["told"]
            task_id = task.pathspec.rpartition("/")[2]
            assert told["flow_name"] == seen.flow
            assert told["step_name"] == key.step
            # A task that was taken over ran in the run before.
            if seen.how != "resume" or told["run_id"] == seen.run_id:
                assert (told["run_id"], told["task_id"]) == (seen.run_id, task_id)
                assert told["pathspec"] == task.pathspec

    def check_client(self, ran: Ran) -> None:
        users = {task.values["told"]["username"] for task in ran.seen("client").tasks.values()}
        assert users == {ran.place.environ["HEADWAY_USER"]}


class CurrentOrigin(Feature):
    """Only a resumed run has an origin."""

    def code(self, node: Node, shape: Shape) -> str:
        return 'self.origin = (current.origin_run_id, current.get("origin_run_id"))'

    def check(self, seen: Seen) -> None:
        if seen.how != "resume":
            assert {task.values["origin"] for task in seen.tasks.values()} == {(None, None)}

    def check_resume(self, ran: Ran) -> None:
        broken, resumed = ran.id_of("broken"), ran.client("resumed")
        for step in resumed:
            for task in step:
                expected = None if task.origin_pathspec else broken
                assert task.data.origin == (expected, expected), task.pathspec


class CurrentParameters(Feature):
    """``current`` knows the names of configurations and parameters, and the graph."""

    def module(self) -> str:
        return "from headway import Config, Parameter"

    def flow(self, shape: Shape) -> str:
        return """
            known = Parameter("known", default=1)
            known_config = Config("known_config", default_value={})
        """

    def code(self, node: Node, shape: Shape) -> str:
        return """\
self.knows_parameter = [name for name in current.parameter_names if name.startswith("known")]
self.has_graph = sorted(current.graph["steps"])"""

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"knows_parameter": ["known_config", "known"], "has_graph": sorted(shape.by_name)}


class StepsOfTheFlow(Feature):
    """The flow's name, and how it shows itself."""

    def code(self, node: Node, shape: Shape) -> str:
        return "self.named_itself = (self.name, current.step_name in str(self), type(self).__name__)"

    def check(self, seen: Seen) -> None:
        for task in seen.tasks.values():
            assert task.values["named_itself"] == (seen.flow, True, seen.flow)


class SwitchWayNotTaken(Feature):
    """What a switch did not choose has no tasks."""

    def senseless(self, shape: Shape) -> str:
        return "" if "switch" in shape.kinds else "there is no switch"

    def _never(self, shape: Shape) -> list[str]:
        return [node.name for node in shape.nodes if not shape.of(node.name)]

    def check(self, seen: Seen) -> None:
        assert not [name for name in self._never(seen.shape) if seen.of(name)]

    def check_client(self, ran: Ran) -> None:
        run = ran.client()
        assert not [name for name in self._never(ran.shape) if name in run]

    def check_commands(self, ran: Ran) -> None:
        shown = ran.typed("show").stdout
        assert all(name in shown for name in self._never(ran.shape)), shown


class Rounds(Feature):
    """A loop's rounds follow each other, with what the one before has set."""

    def senseless(self, shape: Shape) -> str:
        return "" if any(node.counts for node in shape.nodes) else "there is no loop"

    def code(self, node: Node, shape: Shape) -> str:
        if node.counts:
            return "self.laps = getattr(self, 'laps', []) + [self.round]"
        return ""

    def expect(self, task: Task, shape: Shape) -> Values:
        if not shape.by_name[task.step].counts:
            return {}
        return {"laps": list(range(1, task.key.round + 1))}


class ParentsAndChildren(Feature):
    """The client walks from a task to those before and behind it."""

    def check_client(self, ran: Ran) -> None:
        self._walk(ran, "client", "run")

    def check_resume(self, ran: Ran) -> None:
        self._walk(ran, "resume", "resumed")

    def _walk(self, ran: Ran, mode: str, name: str) -> None:
        run, seen = ran.client(name), ran.seen(mode)
        names = {key: task.pathspec for key, task in seen.tasks.items()}
        for key, task in ran.shape.tasks.items():
            found = run[key.step][names[key].rpartition("/")[2]]
            parents = sorted(names[parent.key] for parent in task.parents)
            assert sorted(found.parent_task_pathspecs) == parents, f"parents of {names[key]}"
            children = sorted(names[other.key] for other in ran.shape.tasks.values() if task in other.parents)
            assert sorted(each.pathspec for each in found.child_tasks) == children, (
                f"children of {names[key]}"
            )


FEATURES = (
    AllTasks(), ForeachStack(), IndexAndInput(), JoinInputs(), InputsByName(), Gang(), CurrentFacts(),
    CurrentOrigin(), CurrentParameters(), StepsOfTheFlow(), SwitchWayNotTaken(), Rounds(), ParentsAndChildren(),
)  # fmt: skip
