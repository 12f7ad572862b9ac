"""Features of runs: tags, namespaces, ids, failures, and what a resumed run takes over."""

from collections.abc import Sequence
from itertools import pairwise

import headway
from matrix.feature import Feature
from matrix.graph import Node, Shape, Task
from matrix.ran import Ran
from matrix.seen import Seen


class Tags(Feature):
    """Tags of the command line are the run's and its tasks', and its steps know them."""

    def behind(self, command: str) -> Sequence[str]:
        return ("--tag", "m:one", "--tag", "zwei") if command == "run" else ()

    def code(self, node: Node, shape: Shape) -> str:
        return 'self.tags_here = sorted(tag for tag in current.tags if tag in {"m:one", "zwei"})'

    def check_client(self, ran: Ran) -> None:
        run = ran.client()
        assert {"m:one", "zwei"} <= run.user_tags
        assert run.tags == run.user_tags | run.system_tags
        assert f"user:{ran.place.environ['HEADWAY_USER']}" in run.system_tags
        kinds = {tag.partition(":")[0] for tag in run.system_tags}
        # Another feature of the same flow may be its project.
        of_project = {"project", "project_branch", "production"}
        expected = {"user", "runtime", "python_version", "headway_version", "metaflow_version"}
        assert kinds - of_project == expected, run.tags
        assert run in list(headway.Flow(ran.flow).runs(f"metaflow_version:{headway.__version__}"))
        assert {"m:one", "zwei"} <= run[ran.shape.last.name].task.tags
        assert run in list(headway.Flow(ran.flow).runs("m:one", "zwei"))
        assert run not in list(headway.Flow(ran.flow).runs("m:one", "drei"))
        assert run[ran.shape.last.name].task.data.tags_here == ["m:one", "zwei"]

    def check_commands(self, ran: Ran) -> None:
        told = ran.typed("tag", "list", "--run-id", ran.id_of("run"))
        assert told.code == 0, told.all
        assert {"m:one", "zwei"} <= set(told.stdout.split())


class TagCommands(Feature):
    """``tag add``, ``remove`` and ``replace`` change what client and commands see."""

    def senseless(self, shape: Shape) -> str:
        return "" if shape.name in {"single_step", "foreach", "hybrid"} else "tags know nothing of graphs"

    def check_commands(self, ran: Ran) -> None:
        run_id = ran.id_of("run")
        for words in (("add", "t1", "t2"), ("remove", "t1"), ("replace", "--remove", "t2", "--add", "t3")):
            done = ran.typed("tag", words[0], "--run-id", run_id, *words[1:])
            assert done.code == 0, done.all
        assert {"t1", "t2", "t3"} & ran.client().user_tags == {"t3"}
        told = ran.typed("tag", "list", "--run-id", run_id, "--hide-system-tags")
        assert "t3" in told.stdout.split()

    def check_client(self, ran: Ran) -> None:
        run = ran.client()
        run.add_tags(["c1", "c2"])
        run.replace_tag("c1", "c3")
        run.remove_tag("c2")
        assert {"c1", "c2", "c3"} & ran.client().user_tags == {"c3"}
        assert "c3" in run[ran.shape.first.name].task.tags


class RunIdFile(Feature):
    """``--run-id-file`` holds the id, of a failed run too; a resumed run has one of its own."""

    def check_client(self, ran: Ran) -> None:
        assert ran.client().id == ran.id_of("run")
        assert ran.id_of("run").isdigit()

    def check_commands(self, ran: Ran) -> None:
        assert ran.id_of("run") in ran.run.stderr, ran.run.all

    def check_resume(self, ran: Ran) -> None:
        assert ran.id_of("broken") != ran.id_of("resumed")


class FailedRun(Feature):
    """A run that failed ends with 1, names the task, keeps its words, and its exception."""

    def check_resume(self, ran: Ran) -> None:
        broken = ran.broken
        assert broken.code == 1
        assert "broken on purpose" in broken.stderr
        run = ran.client("broken")
        failed = [task for step in run for task in step if task.has_ended and not task.successful]
        # Those beside it are stopped.
        (task,) = [task for task in failed if "broken on purpose" in str(task.exception)]
        assert task.pathspec.split("/")[2] == ran.shape.breaks.step
        assert task.pathspec.partition("/")[2].partition("/")[2] in broken.stderr
        assert "RuntimeError: broken on purpose" in task.stderr
        logs = ran.typed("logs", f"{run.id}/{ran.shape.breaks.step}")
        assert "broken on purpose" in logs.stderr + logs.stdout, logs.all


class Origins(Feature):
    """A resumed run takes over what had ended well, says from where, and runs the rest."""

    def check_resume(self, ran: Ran) -> None:
        broken, resumed = ran.client("broken"), ran.client("resumed")
        assert resumed.origin_pathspec == broken.pathspec
        # A round of a loop is told from the others by its number, which a task has once it ended.
        done = {key: task.pathspec for key, task in ran.seen_of("broken").tasks.items()}
        ended_well = {task.pathspec for step in broken for task in step if task.successful}
        expected = {key: pathspec for key, pathspec in done.items() if pathspec in ended_well}
        for key, task in ran.seen("resume").tasks.items():
            found = headway.Task(task.pathspec)
            assert found.origin_pathspec == expected.get(key), key
            if key in expected:
                assert found.metadata_dict["origin-run-id"] == broken.id
                assert found.metadata_dict["origin-task-id"] == expected[key].rpartition("/")[2]
        assert "broken on purpose" not in ran.resumed.stderr


class ResumeFromStep(Feature):
    """``resume STEP`` runs that step and all behind it again."""

    def senseless(self, shape: Shape) -> str:
        return "" if len(shape.nodes) > 1 else "there is nothing before it"

    def check_commands(self, ran: Ran) -> None:
        step = ran.shape.breaks.step
        words = ["resume", step, "--origin-run-id", ran.id_of("run"), "--run-id-file", "from-step.id"]
        before = [word for feature in ran.features for word in feature.before("resume")]
        done = ran.typed(*before, *words)
        assert done.code == 0, done.all
        again = ran.client("from-step")
        ran_anew = {t.pathspec.split("/")[2] for s in again for t in s if not t.origin_pathspec}
        behind = {step}
        for task in ran.shape.tasks.values():
            if task.step in behind or any(parent.step in behind for parent in task.parents):
                behind.add(task.step)
        assert behind <= ran_anew, (behind, ran_anew)
        taken_over = {t.pathspec.split("/")[2] for s in again for t in s if t.origin_pathspec}
        before_it = self._before(ran.shape.of(step)[0])
        assert before_it - behind <= taken_over, (before_it, taken_over)

    def _before(self, task: Task) -> set[str]:
        return {parent.step for parent in task.parents}.union(
            *(self._before(parent) for parent in task.parents)
        )


class MaxNumSplits(Feature):
    """A foreach over more than ``--max-num-splits`` fails, and says how to allow it."""

    def senseless(self, shape: Shape) -> str:
        widest = max((len(node.values) for node in shape.nodes if node.kind == "foreach"), default=0)
        return "" if widest > 1 else "there is no foreach over several"

    def check_commands(self, ran: Ran) -> None:
        before = [word for feature in ran.features for word in feature.before("run")]
        behind = [word for feature in ran.features for word in feature.behind("run")]
        done = ran.typed(*before, "run", "--max-num-splits", "1", *behind)
        assert done.code == 1, done.all
        assert "--max-num-splits" in done.stderr, done.all


class MaxWorkers(Feature):
    """``--max-workers 1``: of two tasks one begins when the other has ended."""

    group = "workers"

    def senseless(self, shape: Shape) -> str:
        return (
            ""
            if shape.kinds & {"split", "foreach"} and "parallel" not in shape.kinds
            else "one task at a time it is anyway"
        )

    def behind(self, command: str) -> Sequence[str]:
        return ("--max-workers", "1")

    def module(self) -> str:
        return "import time"

    def code(self, node: Node, shape: Shape) -> str:
        # As long as it takes to start all that could run beside it.
        return "self.worked = [time.time()]\ntime.sleep(0.1)\nself.worked.append(time.time())"

    def check(self, seen: Seen) -> None:
        assert set(seen.tasks) == set(seen.shape.tasks)
        worked = sorted((task.values["worked"], task.pathspec) for task in seen.tasks.values())
        for (one, first), (other, second) in pairwise(worked):
            assert one[1] <= other[0], f"{first} had not ended when {second} began"


FEATURES: Sequence[Feature] = (
    Tags(), TagCommands(), RunIdFile(), FailedRun(), Origins(), ResumeFromStep(), MaxNumSplits(), MaxWorkers(),
)  # fmt: skip
