"""Features of the command line."""

import json
import re
from collections.abc import Sequence

from matrix.feature import Feature, Values
from matrix.graph import Node, Shape, Task
from matrix.ran import Ran


class ShowAndCheck(Feature):
    """``show`` names every step, with its words; ``check`` finds the flow valid."""

    def check_commands(self, ran: Ran) -> None:
        shown = ran.typed("show")
        assert shown.code == 0, shown.all
        for node in ran.shape.nodes:
            assert f"Step {node.name}" in shown.stdout, shown.all
            # The line of where it leads to belongs to it, and to no other.
            said = re.split(rf"^Step {node.name}\b.*$", shown.stdout, flags=re.MULTILINE)[1].partition(
                "\nStep "
            )[0]
            leads = re.findall(r"=> (.*)", said)
            assert len(leads) == bool(node.to), (node.name, shown.all)
            assert all(re.search(rf"\b{target}\b", leads[0]) for target in node.to), (node.name, shown.all)
        checked = ran.typed("check")
        assert checked.code == 0, checked.all
        assert f"is valid: {len(ran.shape.nodes)} step" in checked.stdout + checked.stderr, checked.all


class Drawn(Feature):
    """The graph as DOT and as text has every step and its edges."""

    def check_commands(self, ran: Ran) -> None:
        dot, text = ran.typed("output-dot"), ran.typed("output-text")
        assert (dot.code, text.code) == (0, 0), dot.all + text.all
        for node in ran.shape.nodes:
            assert node.name in text.stdout, text.all
            for target in node.to:
                edge = [line for line in dot.stdout.splitlines() if "->" in line]
                assert any(
                    node.name in line.split("->")[0] and target in line.split("->")[1] for line in edge
                ), f"{node.name} -> {target}\n{dot.stdout}"


class Dumped(Feature):
    """``dump`` shows name, size, type and value of each artifact, of a run, a step or a task; some or all."""

    def code(self, node: Node, shape: Shape) -> str:
        return "self.dumped_one, self.dumped_two = [1, current.step_name], 2"

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"dumped_one": [1, task.step], "dumped_two": 2}

    def check_commands(self, ran: Ran) -> None:
        run_id, last = ran.id_of("run"), ran.shape.last.name
        whole = ran.typed("dump", run_id, "--include", "dumped_one,dumped_two")
        assert whole.code == 0, whole.all
        lines = whole.stdout.splitlines()
        assert len(lines) == 2 * len(ran.shape.tasks), whole.all
        for node in ran.shape.nodes:
            shown = [line for line in lines if line.endswith(f" = [1, {node.name!r}]")]
            assert len(shown) == len(ran.shape.of(node.name)), (node.name, whole.all)
            assert all(
                line.startswith("dumped_one [size: ") and "type: <class 'list'>" in line for line in shown
            )
        step = ran.typed("dump", f"{run_id}/{last}", "--include", "dumped_two")
        assert step.stdout.startswith("dumped_two [size: "), step.all
        assert step.stdout.rstrip().endswith("] = 2"), step.all


class WrongWords(Feature):
    """What is not understood ends with 2, before anything runs."""

    def senseless(self, shape: Shape) -> str:
        return (
            ""
            if shape.name in {"single_step", "nested_foreach", "hybrid"}
            else "options know nothing of graphs"
        )

    def check_commands(self, ran: Ran) -> None:
        for words in (("run", "--nobody-knows", "1"), ("rnu",), ("run", "--max-workers", "many")):
            done = ran.typed(*words)
            assert done.code == 2, done.all
            assert "Traceback" not in done.stderr, done.all
            assert not done.stdout, done.all
        missing = ran.typed("dump", "12345")
        assert missing.code != 0, missing.all
        assert "Traceback" not in missing.stderr, missing.all


class Told(Feature):
    """A run says how it went, and a line for each task that ended well."""

    def check_commands(self, ran: Ran) -> None:
        told = ran.run.stderr
        assert f"Run {ran.id_of('run')}" in told, ran.run.all
        assert "succeeded" in told, ran.run.all
        assert "Traceback" not in told, ran.run.all
        assert ran.run.stdout.count("Task finished successfully.") >= len(ran.shape.tasks) - len(
            ran.shape.of(ran.shape.victim)
        )


class Quiet(Feature):
    """``--quiet`` says nothing but what tasks print."""

    def senseless(self, shape: Shape) -> str:
        return "" if shape.name in {"single_step", "foreach", "hybrid"} else "it knows nothing of graphs"

    def code(self, node: Node, shape: Shape) -> str:
        return 'print("quietly printed")'

    def check_commands(self, ran: Ran) -> None:
        before = [word for feature in ran.features for word in feature.before("run")]
        behind = [word for feature in ran.features for word in feature.behind("run")]
        # This run is told of elsewhere, so that what was told of the usual one stays.
        done = ran.typed("--quiet", *before, "run", *behind, "--runner-attribute-file", "quiet.json")
        assert done.code == 0, done.all
        assert done.stdout.count("quietly printed\n") == len(ran.shape.tasks), done.all
        for words in ("Task is starting", "Task finished", "succeeded", "Headway", "Foreach yields"):
            assert words not in done.stdout + done.stderr, done.all


class AttributeFile(Feature):
    """``--runner-attribute-file`` tells programs which run this is."""

    def behind(self, command: str) -> Sequence[str]:
        return ("--runner-attribute-file", f"{command}.json")

    def check_commands(self, ran: Ran) -> None:
        told = json.loads((ran.folder / "run.json").read_text())
        # The run that is to break may have been told since.
        assert told["run_id"] in {path.read_text().strip() for path in ran.folder.glob("*.id")}
        assert told["flow_name"] == ran.flow

    def check_resume(self, ran: Ran) -> None:
        told = json.loads((ran.folder / "resume.json").read_text())
        assert (told["run_id"], told["flow_name"]) == (ran.id_of("resumed"), ran.flow)


class ExitHook(Feature):
    """Functions that run once the run is over, according to how it ended."""

    def module(self) -> str:
        return """
            from headway import exit_hook
            def when_well():
                open("hook", "a").write("well\\n")
            def when_not():
                open("hook", "a").write("not well\\n")
        """

    def over_flow(self) -> Sequence[str]:
        return ("@exit_hook(on_success=[when_well], on_error=[when_not])",)

    def check_commands(self, ran: Ran) -> None:
        assert "well" in (ran.folder / "hook").read_text().splitlines()

    def check_resume(self, ran: Ran) -> None:
        assert "not well" in (ran.folder / "hook").read_text().splitlines()


class Packaged(Feature):
    """``package list`` names the flow's own file and nothing of its runs."""

    def senseless(self, shape: Shape) -> str:
        return "" if shape.name in {"single_step", "wide_foreach"} else "what ships knows nothing of graphs"

    def check_commands(self, ran: Ran) -> None:
        listed = ran.typed("package", "list")
        assert listed.code == 0, listed.all
        shipped = [line.split()[-1] for line in listed.stdout.splitlines()]
        assert "flow.py" in shipped, listed.all
        assert not [name for name in shipped if not name.endswith(".py")], listed.all


FEATURES: Sequence[Feature] = (
    ShowAndCheck(), Drawn(), Dumped(), WrongWords(), Told(), Quiet(), AttributeFile(), ExitHook(), Packaged(),
)  # fmt: skip
