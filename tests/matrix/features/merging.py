"""Features about ``merge_artifacts``."""

from typing import ClassVar

from matrix.feature import Feature, Values
from matrix.graph import Node, Shape, Task


class _Merging(Feature):
    """In a flow of their own: what others set would have to be merged as well."""

    group: ClassVar[str] = "merging"

    def senseless(self, shape: Shape) -> str:
        return "" if shape.joins else "there is no join"

    def module(self) -> str:
        return "from headway.errors import HeadwayError"

    def at_join(self, task: Task, shape: Shape) -> bool:
        return shape.by_name[task.step].kind == "join"

    def inside(self, node: Node, shape: Shape) -> bool:
        """Whether a step is a branch's."""
        return node is not shape.first and node.kind not in {"join", "end"}


class MergeInclude(_Merging):
    """Only the names that are asked for, those of which some branches have not heard as well."""

    def code(self, node: Node, shape: Shape) -> str:
        if node is shape.first:
            return 'self.chosen, self.not_chosen = "same", "same"'
        return ""

    def join(self, node: Node, shape: Shape) -> str:
        return """\
self.merge_artifacts(inputs, include=["chosen"])
self.chose = (self.chosen, hasattr(self, "not_chosen"))
self.not_chosen = "same" """

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"chosen": "same", **({"chose": ("same", False)} if self.at_join(task, shape) else {})}


class MergeMissing(_Merging):
    """A name that no branch has is an error with that name."""

    def join(self, node: Node, shape: Shape) -> str:
        return """\
try:
    self.merge_artifacts(inputs, include=["nobody_has_this"])
except HeadwayError as error:
    self.missing = (type(error).__name__.startswith("MissingInMergeArtifacts"), list(error.artifact_names))"""

    def code(self, node: Node, shape: Shape) -> str:
        return ""

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"missing": (True, ["nobody_has_this"])} if self.at_join(task, shape) else {}


class MergeBoth(_Merging):
    """Include and exclude together say two things at once."""

    def join(self, node: Node, shape: Shape) -> str:
        return """\
try:
    self.merge_artifacts(inputs, include=["where"], exclude=["round"])
except HeadwayError:
    self.both_refused = True"""

    def code(self, node: Node, shape: Shape) -> str:
        return ""

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"both_refused": True} if self.at_join(task, shape) else {}


class MergeElsewhere(_Merging):
    """Outside a join there is nothing to merge."""

    def code(self, node: Node, shape: Shape) -> str:
        return """\
try:
    self.merge_artifacts([])
except HeadwayError:
    self.merged_nothing = True"""

    def join(self, node: Node, shape: Shape) -> str:
        return "self.merged_nothing = True"

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"merged_nothing": True}


class MergeUnhandled(_Merging):
    """A name of which the branches differ is an error with that name, until the join settles or excludes it."""

    def code(self, node: Node, shape: Shape) -> str:
        return "self.torn = [current.step_name, self.where]"

    def join(self, node: Node, shape: Shape) -> str:
        return """\
try:
    self.merge_artifacts(inputs, include=["torn"])
    self.unhandled = None
except HeadwayError as error:
    self.unhandled = (type(error).__name__.startswith("UnhandledInMergeArtifacts"), list(error.artifact_names))
self.torn = [current.step_name, self.where]"""

    def expect(self, task: Task, shape: Shape) -> Values:
        if not self.at_join(task, shape):
            return {}
        torn = {(parent.step, parent.key.where) for parent in task.parents}
        return {"unhandled": (True, ["torn"]) if len(torn) > 1 else None}


class MergePlain(_Merging):
    """All that the branches agree on, and nothing that the join has set itself; ``exclude`` leaves names out."""

    def code(self, node: Node, shape: Shape) -> str:
        before = 'self.agreed = "from the start"\n' if node is shape.first else ""
        return f"{before}self.differing = self.left_out = [current.step_name, self.where]"

    def join(self, node: Node, shape: Shape) -> str:
        return """\
self.differing = "settled"
self.merge_artifacts(inputs, exclude=["left_out", "_point", "choice"])
self.after_merge = (self.agreed, self.differing, hasattr(self, "left_out"))"""

    def expect(self, task: Task, shape: Shape) -> Values:
        if not self.at_join(task, shape):
            return {"agreed": "from the start"}
        return {
            "agreed": "from the start",
            "differing": "settled",
            "after_merge": ("from the start", "settled", False),
        }

    def absent(self, task: Task, shape: Shape) -> list[str]:
        return ["left_out"] if self.at_join(task, shape) else []


FEATURES = (MergeInclude(), MergeMissing(), MergeBoth(), MergeElsewhere(), MergeUnhandled(), MergePlain())
