"""Features about artifacts and constants."""

import random
from collections.abc import Sequence
from datetime import datetime, timezone
from decimal import Decimal
from itertools import chain
from typing import Any, ClassVar

from matrix.feature import Feature, Values
from matrix.graph import Node, Shape, Task
from matrix.ran import Ran
from matrix.seen import Seen


def has_join_above(task: Task, shape: Shape) -> bool:
    """Whether a task is a join's or stands behind one, so that it inherits nothing of the first step."""
    if shape.by_name[task.step].kind == "join":
        return True
    return any(has_join_above(parent, shape) for parent in task.parents)


class ArtifactPropagation(Feature):
    """What a step sets reaches the steps behind it; a join sees that of each of its branches, in order."""

    def code(self, node: Node, shape: Shape) -> str:
        before = "[]" if node is shape.first else "self.trail"
        return f"self.trail = {before} + [current.step_name]"

    def join(self, node: Node, shape: Shape) -> str:
        return "self.trail = [each.trail for each in branches] + [current.step_name]"

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"trail": self._trail(task, shape)}

    def _trail(self, task: Task, shape: Shape) -> list[Any]:
        above = [self._trail(parent, shape) for parent in task.parents]
        return [
            *(above if shape.by_name[task.step].kind == "join" else chain.from_iterable(above)),
            task.step,
        ]


class BasicArtifacts(Feature):
    """Values of Python's own types come back equal and of their type."""

    VALUES: ClassVar[dict[str, Any]] = {
        "nothing": None,
        "truth": True,
        "number": -3,
        "huge": 2**200,
        "real": 0.1,
        "imaginary": 1 + 2j,
        "raw": b"\x00\xff",
        "pair": (1, "two"),
        "bag": {1, 2},
        "tree": {"a": [1, {"b": None}], 3: ()},
        "moment": datetime(2024, 2, 29, 12, tzinfo=timezone.utc),
        "exact": Decimal("1.10"),
        "empty": "",
    }

    def module(self) -> str:
        return """
            from datetime import datetime, timezone
            from decimal import Decimal
        """

    def code(self, node: Node, shape: Shape) -> str:
        if node is not shape.first:
            return ""
        moment = "datetime(2024, 2, 29, 12, tzinfo=timezone.utc)"
        values = {name: moment if name == "moment" else repr(value) for name, value in self.VALUES.items()}
        return "\n".join(f"self.basic_{name} = {value}" for name, value in values.items())

    def expect(self, task: Task, shape: Shape) -> Values:
        if has_join_above(task, shape):
            return {}
        return {f"basic_{name}": value for name, value in self.VALUES.items()}

    def absent(self, task: Task, shape: Shape) -> Sequence[str]:
        return ["basic_nothing", "basic_raw"] if has_join_above(task, shape) else []


class LargeArtifact(Feature):
    """Three megabytes that hardly compress come back as they were; a slice of them made later, too."""

    def code(self, node: Node, shape: Shape) -> str:
        if node is shape.first:
            return "import random\nself.large = random.Random(7).randbytes(3_000_000)\nself.large_end = self.large[-5:]"
        return (
            ""
            if node.kind == "join"
            else 'self.large_end = self.large[-5:] if hasattr(self, "large") else None'
        )

    def join(self, node: Node, shape: Shape) -> str:
        return 'self.large_end = getattr(branches[0], "large", b"")[-5:] or None'

    def _end(self) -> bytes:
        return random.Random(7).randbytes(3_000_000)[-5:]

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"large_end": self._end()} if not task.parents or not task.parents[0].parents else {}

    def check_client(self, ran: Ran) -> None:
        artifact = ran.client()[ran.shape.first.name].task["large"]
        assert artifact.size > 2_900_000
        assert len(artifact.data) == 3_000_000

    def check_commands(self, ran: Ran) -> None:
        dumped = ran.typed("dump", ran.id_of("run"), "--max-value-size", "100").stdout
        (line,) = {line for line in dumped.splitlines() if line.startswith("large [")}
        assert "bytes" in line, line
        assert len(line) < 400, f"the value is shown although it is larger than asked for: {line[:500]}"


class Unicode(Feature):
    """Names, values and output in other scripts."""

    def code(self, node: Node, shape: Shape) -> str:
        return 'self.größe = "日本 🙂 " + current.step_name\nprint("größe", self.größe)'

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"größe": f"日本 🙂 {task.step}"}

    def check(self, seen: Seen) -> None:
        for key, task in seen.tasks.items():
            assert f"größe 日本 🙂 {key.step}\n" in task.stdout, task.pathspec


class Constants(Feature):
    """Attributes of the class are artifacts of every task, joins included, and cannot be set."""

    def flow(self, shape: Shape) -> str:
        return "FIXED = {'a': [7]}"

    def code(self, node: Node, shape: Shape) -> str:
        return """\
try:
    self.FIXED = 1
except AttributeError:
    self.fixed_again = self.FIXED["a"][0] * 2"""

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"FIXED": {"a": [7]}, "fixed_again": 14}


class PrivateArtifacts(Feature):
    """A name that begins with _ is kept and inherited, and shown only to those who ask."""

    def code(self, node: Node, shape: Shape) -> str:
        return "self._hidden_one = current.step_name"

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"_hidden_one": task.step}

    def check_client(self, ran: Ran) -> None:
        task = ran.client()[ran.shape.last.name].task
        assert "_hidden_one" not in [artifact.id for artifact in task]
        assert "_hidden_one" not in task.artifacts._fields
        assert task["_hidden_one"].data == ran.shape.last.name

    def check_commands(self, ran: Ran) -> None:
        dumped = ran.typed("dump", ran.id_of("run"), "--max-value-size", "100")
        assert "_hidden_one" not in dumped.stdout


class AbsentArtifact(Feature):
    """One that no step has set is an AttributeError that says so."""

    def code(self, node: Node, shape: Shape) -> str:
        return """\
try:
    self.never_set
except AttributeError as error:
    self.was_absent = ("never_set" in str(error), hasattr(self, "never_set"), getattr(self, "never_set", 5))"""

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"was_absent": (True, False, 5)}

    def absent(self, task: Task, shape: Shape) -> Sequence[str]:
        return ["never_set"]


class MutatedInPlace(Feature):
    """A value that a step inherits and changes in place is another artifact from then on; the old one stays."""

    def code(self, node: Node, shape: Shape) -> str:
        return "self.grown = []" if node is shape.first else "self.grown.append(current.step_name)"

    def join(self, node: Node, shape: Shape) -> str:
        return "self.grown = []"

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"grown": self._grown(task, shape)}

    def _grown(self, task: Task, shape: Shape) -> list[str]:
        if not task.parents or shape.by_name[task.step].kind == "join":
            return []
        return [*self._grown(task.parents[0], shape), task.step]


class SharedContent(Feature):
    """Equal values have the same sha, whoever stored them."""

    def code(self, node: Node, shape: Shape) -> str:
        return 'self.shared = [1, "shared"]'

    def check_client(self, ran: Ran) -> None:
        shas = {task["shared"].sha for step in ran.client() for task in step}
        assert len(shas) == 1
        assert all(isinstance(sha, str) and len(sha) >= 40 for sha in shas)

    def check_resume(self, ran: Ran) -> None:
        runs = [ran.client("broken"), ran.client("resumed")]
        shas = {task["shared"].sha for run in runs for step in run for task in step if task.successful}
        assert len(shas) == 1


class JoinsForget(Feature):
    """What branches set is not the join's, unless it says so; what it sets itself is."""

    def senseless(self, shape: Shape) -> str:
        return "" if shape.joins else "there is no join"

    def code(self, node: Node, shape: Shape) -> str:
        return "" if node.kind in {"split", "foreach", "parallel", "end"} else "self.of_branch = 1"

    def join(self, node: Node, shape: Shape) -> str:
        return 'self.forgotten = (not hasattr(self, "of_branch"))\nself.of_join = len(branches)'

    def expect(self, task: Task, shape: Shape) -> Values:
        if shape.by_name[task.step].kind != "join":
            return {}
        return {"forgotten": True, "of_join": len(task.parents)}

    def absent(self, task: Task, shape: Shape) -> Sequence[str]:
        return ["of_branch"] if shape.by_name[task.step].kind == "join" else []


class FlowIsNoArtifact(Feature):
    """The flow itself cannot be an artifact; nor can a join's inputs."""

    def module(self) -> str:
        return "from headway.errors import HeadwayError"

    def code(self, node: Node, shape: Shape) -> str:
        return """\
try:
    self.itself = self
except HeadwayError as error:
    self.no_flow = True"""

    def join(self, node: Node, shape: Shape) -> str:
        return """\
try:
    self.itself = inputs
except HeadwayError as error:
    self.no_flow = True"""

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"no_flow": True}


class SeededGenerator(Feature):
    """A random generator goes on in the next step where it stood: runs with one seed are alike."""

    def module(self) -> str:
        return "import random"

    def code(self, node: Node, shape: Shape) -> str:
        seed = "self.generator = random.Random(11)\n" if node is shape.first else ""
        return f"{seed}self.drawn = self.generator.random()"

    def join(self, node: Node, shape: Shape) -> str:
        return "self.generator = branches[0].generator\nself.drawn = self.generator.random()"

    def expect(self, task: Task, shape: Shape) -> Values:
        generator = random.Random(11)
        drawn = [generator.random() for _ in range(self._steps(task))]
        return {"drawn": drawn[-1]}

    def _steps(self, task: Task) -> int:
        return 1 + (self._steps(task.parents[0]) if task.parents else 0)


FEATURES = (
    ArtifactPropagation(), BasicArtifacts(), LargeArtifact(), Unicode(), Constants(), PrivateArtifacts(),
    AbsentArtifact(), MutatedInPlace(), SharedContent(), JoinsForget(), FlowIsNoArtifact(), SeededGenerator(),
)  # fmt: skip
