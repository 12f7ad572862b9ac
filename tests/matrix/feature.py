"""What a feature of the matrix is: its code for the steps of any shape, and what must be seen afterwards."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from matrix.graph import Node, Shape, Task

if TYPE_CHECKING:
    from matrix.ran import Ran
    from matrix.seen import Seen

#: How a case is looked at.
MODES = ("client", "commands", "resume")

Values = Mapping[str, Any]


class Feature:
    """Something that a flow can say.

    Written once: its code is put into the steps of every shape that it makes sense in. Features of one
    group share a flow, so each keeps to names of its own. Code for a step stands before its
    ``self.next``; in a join, ``branches`` are the inputs. Docstrings of subclasses say what must hold.

    Attributes:
        group: The features that it shares flows with.
        in_pods: "" or why it is not part of the sample on a cluster.
    """

    group: ClassVar[str] = "plain"
    in_pods: ClassVar[str] = ""

    @property
    def name(self) -> str:
        """``artifact_propagation`` of ``ArtifactPropagation``."""
        letters = [f"_{each.lower()}" if each.isupper() else each for each in type(self).__name__]
        return "".join(letters).lstrip("_")

    # What it asks of a shape.

    def senseless(self, shape: Shape) -> str:
        """Why this feature says nothing in a shape, "" where it does."""
        return ""

    def resumable(self, shape: Shape) -> bool:
        """Whether its flow can be broken and resumed in this shape, with the same result."""
        return True

    # What it writes.

    def module(self) -> str:
        """Code of the file, above the flow."""
        return ""

    def flow(self, shape: Shape) -> str:
        """Code of the class, above the steps."""
        return ""

    def base(self) -> str:
        """A class of :meth:`module` that the flow also inherits from."""
        return ""

    def over_flow(self) -> Sequence[str]:
        """Decorators of the flow."""
        return ()

    def over(self, node: Node, shape: Shape) -> Sequence[str]:
        """Decorators of a step."""
        return ()

    def code(self, node: Node, shape: Shape) -> str:
        """Code of a step, joins included unless :meth:`join` is there."""
        return ""

    def join(self, node: Node, shape: Shape) -> str:
        """Code of a join."""
        return self.code(node, shape)

    def files(self) -> Mapping[str, str]:
        """Files beside the flow."""
        return {}

    def environ(self) -> Mapping[str, str]:
        """Variables of the launcher."""
        return {}

    def before(self, command: str) -> Sequence[str]:
        """Words between the file's name and ``run`` or ``resume``."""
        return ()

    def behind(self, command: str) -> Sequence[str]:
        """Words behind ``run`` or ``resume``."""
        return ()

    # What must be seen.

    def expect(self, task: Task, shape: Shape) -> Values:
        """Artifacts that a task must have."""
        return {}

    def absent(self, task: Task, shape: Shape) -> Sequence[str]:
        """Artifacts that it must not have."""
        return ()

    def check(self, seen: "Seen") -> None:
        """Whatever else is seen alike by client and command line, in runs and resumed runs."""

    def check_client(self, ran: "Ran") -> None:
        """What only the client shows."""

    def check_commands(self, ran: "Ran") -> None:
        """What only commands show."""

    def check_resume(self, ran: "Ran") -> None:
        """What holds of a run that broke and the one that resumed it."""

    def modes(self, shape: Shape) -> list[str]:
        """How it can be looked at in a shape."""
        kind = type(self)
        everywhere = any(
            getattr(kind, name) is not getattr(Feature, name) for name in ("expect", "absent", "check")
        )
        own = {
            "client": kind.check_client is not Feature.check_client,
            "commands": kind.check_commands is not Feature.check_commands,
            "resume": kind.check_resume is not Feature.check_resume,
        }
        return [
            mode
            for mode in MODES
            if (everywhere or own[mode]) and (mode != "resume" or self.resumable(shape))
        ]
