"""Features of the client."""

import pickle
from collections.abc import Sequence
from datetime import datetime

import pytest

import headway
from headway.client.errors import NamespaceMismatchError
from headway.errors import NotFoundError
from matrix.feature import Feature, Values
from matrix.graph import Node, Shape, Task
from matrix.ran import Ran
from matrix.seen import Seen


def tasks_of(run: headway.Run) -> list[headway.Task]:
    return [task for step in run for task in step]


class RunFacts(Feature):
    """A run that ended well says so, and when."""

    def check_client(self, ran: Ran) -> None:
        self._look(ran.client(), ran)

    def check_resume(self, ran: Ran) -> None:
        self._look(ran.client("resumed"), ran)
        broken = ran.client("broken")
        assert (broken.successful, broken.finished, broken.has_ended) == (False, False, True)
        assert broken.end_task is None or not broken.end_task.successful

    def _look(self, run: headway.Run, ran: Ran) -> None:
        assert (run.successful, run.finished) == (True, True)
        assert isinstance(run.created_at, datetime)
        assert isinstance(run.finished_at, datetime)
        assert run.created_at <= run.finished_at
        assert run.end_task is not None
        assert run.end_task.pathspec.split("/")[2] == ran.shape.last.name
        assert run.data is not None
        assert run.data.round == next(key.round for key in ran.shape.tasks if key.step == ran.shape.last.name)


class TaskFacts(Feature):
    """Every task says how it went, and its metadata too."""

    def check_client(self, ran: Ran) -> None:
        for task in tasks_of(ran.client()):
            assert (task.successful, task.finished, task.exception) == (True, True, None), task.pathspec
            metadata = task.metadata_dict
            assert metadata["attempt_ok"] == "True"
            assert metadata["attempt"] == str(task.current_attempt) == "0"
            assert metadata["user"] == ran.place.environ["HEADWAY_USER"]
            assert {"ds-type", "ds-root", "python_version", "metaflow_version", "script-name"} <= set(
                metadata
            )
            assert {each.name for each in task.metadata} >= set(metadata) - {"origin-run-id"}
            assert task.created_at <= task.finished_at  # type: ignore[operator]


class ForeachPath(Feature):
    """Metadata say where in its foreaches a task stands."""

    def senseless(self, shape: Shape) -> str:
        return "" if "foreach" in shape.kinds and "parallel" not in shape.kinds else "there is no foreach"

    def check_client(self, ran: Ran) -> None:
        seen = ran.seen("client")
        for key in ran.shape.tasks:
            task = headway.Task(seen.tasks[key].pathspec)
            path = task.metadata_dict.get("foreach-execution-path", "")
            found = tuple(int(each.rpartition(":")[2]) for each in path.split(",") if each)
            assert found == key.where, (task.pathspec, path)
            names = {each.rpartition(":")[0] for each in path.split(",") if each}
            assert names <= {node.to[0] for node in ran.shape.nodes if node.kind == "foreach"}, path


class Pathspecs(Feature):
    """Every object has its name, its parent and its components, and is found by them."""

    def check_client(self, ran: Ran) -> None:
        run = ran.client()
        task = next(iter(run[ran.shape.first.name]))
        artifact = task["where"]
        chain = [artifact, artifact.parent, artifact.parent.parent, run, run.parent]
        names = [ran.flow, run.id, ran.shape.first.name, task.id, "where"]
        for number, each in enumerate(chain):
            expected = "/".join(names[: len(names) - number])
            assert each.pathspec == expected
            assert list(each.path_components) == expected.split("/")
            assert each.id == expected.rpartition("/")[2]
            assert type(each)(each.pathspec) == each
        assert headway.Flow(ran.flow)[run.id] == run


class NotThere(Feature):
    """What is not there is a KeyError of its parent, and a MetaflowNotFound by its name."""

    def check_client(self, ran: Ran) -> None:
        run = ran.client()
        task = run[ran.shape.first.name].task
        for parent in (headway.Flow(ran.flow), run, run[ran.shape.first.name], task):
            assert "nobody" not in parent
            with pytest.raises(KeyError):
                parent["nobody"]
        for kind, name in ((headway.Run, f"{ran.flow}/12345"), (headway.Task, f"{task.pathspec}9999")):
            with pytest.raises(NotFoundError, match=name):
                kind(name)


class NewestFirst(Feature):
    """Runs and tasks are listed newest first."""

    def check_client(self, ran: Ran) -> None:
        for step in ran.client():
            ids = [int(task.id.partition("_")[0]) for task in step]
            assert ids == sorted(ids, reverse=True), (step.pathspec, ids)
            assert step.task.pathspec == next(iter(step)).pathspec

    def check_resume(self, ran: Ran) -> None:
        ran.client("resumed")
        ids = [run.id for run in headway.Flow(ran.flow)]
        assert ids.index(ran.id_of("resumed")) < ids.index(ran.id_of("broken"))


class ArtifactNames(Feature):
    """``data`` and ``artifacts`` hold each public artifact."""

    def code(self, node: Node, shape: Shape) -> str:
        return "self.zz_public = 1"

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"zz_public": 1}

    def check_client(self, ran: Ran) -> None:
        task = ran.client()[ran.shape.last.name].task
        names = {artifact.id for artifact in task}
        assert set(task.artifacts._fields) == names
        assert "zz_public" in names
        assert "zz_public" in task.data
        assert "zz_nobody" not in task.data
        assert task.artifacts.zz_public.data == 1
        assert {"where", "round"} <= names
        assert "name" not in names or task["name"].data == ran.flow


class PicklableObjects(Feature):
    """Objects of the client survive a pickle."""

    def check_client(self, ran: Ran) -> None:
        run = ran.client()
        task = run[ran.shape.last.name].task
        for each in (headway.Flow(ran.flow), run, run[ran.shape.last.name], task, task["where"]):
            again = pickle.loads(pickle.dumps(each))
            assert again == each
            assert again.pathspec == each.pathspec
        assert pickle.loads(pickle.dumps(task)).data.where == task.data.where


class ClientInStep(Feature):
    """A step reads its own run, and those before it."""

    def module(self) -> str:
        return "from headway import Run as MatrixRun, Task as MatrixTask"

    def code(self, node: Node, shape: Shape) -> str:
        if node is not shape.last:
            return ""
        return f"""\
self.read_run = MatrixRun(f"{{current.flow_name}}/{{current.run_id}}")
self.read_first = self.read_run[{shape.first.name!r}].task.data.where if current.step_name != {shape.first.name!r} else []
self.read_done = (self.read_run.finished, current.run.id == current.run_id, current.task.id == current.task_id)"""

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"read_first": [], "read_done": (False, True, True)} if task.step == shape.last.name else {}

    def check(self, seen: Seen) -> None:
        (task,) = seen.of(seen.shape.last.name)
        assert task.values["read_run"].id == task.pathspec.split("/")[1]


class LatestRuns(Feature):
    """A flow knows its newest run, and its newest that ended well."""

    def check_client(self, ran: Ran) -> None:
        run = ran.client()
        flow = headway.Flow(ran.flow)
        runs = list(flow.runs())
        assert run in runs
        assert run.id in flow
        # Others may begin and end meanwhile: there is no newer one among those that were there before.
        latest, successful = flow.latest_run, flow.latest_successful_run
        assert latest is not None
        assert successful is not None
        assert int(latest.id) >= max(int(each.id) for each in runs)
        assert int(latest.id) >= int(successful.id) >= int(run.id)
        assert successful.successful

    def check_resume(self, ran: Ran) -> None:
        ran.client("resumed")
        ids = [run.id for run in headway.Flow(ran.flow).runs()]
        assert {ran.id_of("resumed"), ran.id_of("broken")} <= set(ids)


class Streams(Feature):
    """Each task's lines are its own, each stream's too, in the order they were printed."""

    def code(self, node: Node, shape: Shape) -> str:
        return """\
for number in range(20):
    print("line", number, current.step_name, self.where, self.round)
print("aside", current.step_name, self.where, self.round, file=sys.stderr)
sys.stdout.write("no newline at its end")"""

    def check(self, seen: Seen) -> None:
        for key, task in seen.tasks.items():
            place = f"{key.step} {list(key.where)} {key.round}"
            assert "".join(f"line {number} {place}\n" for number in range(20)) in task.stdout, task.pathspec
            assert task.stdout.count("line 7 ") == 1, task.pathspec
            assert f"aside {place}\n" in task.stderr
            assert "aside" not in task.stdout
            assert "line 7" not in task.stderr
            assert "no newline at its end" in task.stdout

    def check_client(self, ran: Ran) -> None:
        task = ran.client()[ran.shape.last.name].task
        lines = list(task.loglines("stdout"))
        moments = [moment for moment, _ in lines]
        assert moments == sorted(moments)
        assert "".join(f"{line}\n" for _, line in lines).rstrip("\n") == task.stdout.rstrip("\n")
        assert task.stdout_size >= len(task.stdout)

    def check_commands(self, ran: Ran) -> None:
        run_id, step = ran.id_of("run"), ran.shape.last.name
        only = ran.typed("logs", f"{run_id}/{step}", "--stderr")
        assert "aside" in only.stdout + only.stderr
        assert "line 7" not in only.stdout + only.stderr
        # What tasks print comes out while they run, too.
        assert ran.run.stdout.count(" line 7 ") == len(ran.shape.tasks)


class InNamespace(Feature):
    """A run is in the namespace of who started it, and not in another's."""

    def check_client(self, ran: Ran) -> None:
        run = ran.client()
        try:
            headway.namespace(f"user:{ran.place.environ['HEADWAY_USER']}")
            assert headway.Run(run.pathspec).is_in_namespace()
            headway.namespace("user:nobody-at-all")
            with pytest.raises(NamespaceMismatchError):
                headway.Run(run.pathspec)
        finally:
            headway.namespace(None)


FEATURES: Sequence[Feature] = (
    RunFacts(), TaskFacts(), ForeachPath(), Pathspecs(), NotThere(), NewestFirst(), ArtifactNames(),
    PicklableObjects(), ClientInStep(), LatestRuns(), Streams(), InNamespace(),
)  # fmt: skip
