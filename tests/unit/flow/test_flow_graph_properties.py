"""Random valid graphs of nested splits, written as source, parse back to the graphs they came from."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from flow_sources import Shape, parse_body, shapes
from hypothesis import given, settings
from hypothesis import strategies as st

Block = str | tuple[str, list[list["Block"]]]

#: A block is one step, or a fan-out or switch over bodies, each a sequence of blocks that begins with a step.
blocks: st.SearchStrategy[Block] = st.recursive(
    st.just("step"),
    lambda inner: st.tuples(
        st.sampled_from(["split", "foreach", "switch"]),
        st.lists(st.lists(inner, max_size=3), min_size=2, max_size=3),
    ),
    max_leaves=10,
)


@dataclass
class Written:
    """The source of a flow and its shapes, grown step by step."""

    source: list[str] = field(default_factory=list)
    expected: dict[str, Shape] = field(default_factory=dict)
    count: int = 0

    def name(self) -> str:
        self.count += 1
        return f"s{self.count}"

    def step(self, name: str, following: str, shape: Shape) -> None:
        inputs = ", inputs" if shape.closes else ""
        self.source.append(f"@step\ndef {name}(self{inputs}):\n    {following}\n")
        self.expected[name] = shape

    def sequence(self, name: str, closes: str | None, body: Sequence[Block], after: str) -> None:
        """Write the step of this name, then a body, then lead on to a step that is written elsewhere."""
        if not body:
            self.step(
                name, f"self.next(self.{after})", Shape("join" if closes else "linear", (after,), closes)
            )
            return
        first, *rest = body
        if isinstance(first, str):
            following = self.name()
            self.step(
                name,
                f"self.next(self.{following})",
                Shape("join" if closes else "linear", (following,), closes),
            )
            self.sequence(following, None, rest, after)
            return
        kind, bodies = first
        if kind == "foreach":
            bodies = bodies[:1]
        heads = tuple(self.name() for _ in bodies)
        meeting = self.name()
        targets = ", ".join(f"self.{head}" for head in heads)
        arguments = {
            "split": targets,
            "foreach": f'{targets}, foreach="items"',
            "switch": "{"
            + ", ".join(f"{i}: self.{head}" for i, head in enumerate(heads))
            + '}, condition="kind"',
        }[kind]
        self.step(name, f"self.next({arguments})", Shape(kind, heads, closes))
        for head, inner in zip(heads, bodies, strict=True):
            self.sequence(head, None, inner, meeting)
        self.sequence(meeting, None if kind == "switch" else name, rest, after)


@settings(max_examples=40, deadline=None)
@given(st.lists(blocks, max_size=4))
def test_a_graph_is_what_its_source_says(body: list[Block]) -> None:
    written = Written()
    written.sequence("first", None, body, "last")
    written.step("last", "pass", Shape("end"))
    graph = parse_body("\n".join(written.source))
    assert shapes(graph) == written.expected
    assert (graph.start, graph.end) == ("first", "last")
    assert [node.name for node in graph.in_order()][-1] == "last"
