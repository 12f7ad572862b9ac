"""The graphs of the matrix."""

from matrix.graph import Key, Node, Shape


def _line(name: str, to: str, **more: object) -> Node:
    return Node(name, "linear", (to,), **more)  # type: ignore[arg-type]


def _each(name: str, to: str, over: str) -> Node:
    return Node(name, "foreach", (to,), over=over)


def _join(name: str, closes: str, to: str, reads: str = "iteration") -> Node:
    return Node(name, "join", (to,), closes=closes, reads=reads)


def _end(name: str = "end", **more: object) -> Node:
    return Node(name, "end", **more)  # type: ignore[arg-type]


def _split(name: str, *to: str) -> Node:
    return Node(name, "split", to)


def _switch(name: str, choice: str, *to: str, counts: bool = False) -> Node:
    return Node(name, "switch", to, choice=choice, counts=counts)


SHAPES = (
    Shape("single_step", (_end("only"),), Key("only"), "only"),
    Shape("linear", (_line("start", "middle"), _line("middle", "end"), _end()), Key("end"), "middle"),
    Shape(
        "named_ends",
        (_line("begin", "work", marks="start=True"), _line("work", "finish"), _end("finish", marks="end=True")),
        Key("finish"),
        "work",
    ),
    Shape(
        "branch",
        (_split("start", "a", "b", "c"), _line("a", "join"), _line("b", "join"), _line("c", "join"),
         _join("join", "start", "end"), _end()),
        Key("c"),
        "b",
    ),
    Shape(
        "joins_by_name",
        (_split("start", "left", "right"), _line("left", "join"), _line("right", "longer"),
         _line("longer", "join"), _join("join", "start", "end", "name"), _end()),
        Key("join"),
        "left",
    ),
    Shape(
        "joins_by_position",
        (_split("start", "right", "left"), _line("right", "join"), _line("left", "join"),
         _join("join", "start", "end", "position"), _end()),
        Key("end"),
        "join",
    ),
    Shape(
        "nested_branch",
        (_split("start", "a", "b"), _split("a", "aa", "ab"), _line("aa", "inner"), _line("ab", "inner"),
         _join("inner", "a", "outer"), _line("b", "outer"), _join("outer", "start", "end"), _end()),
        Key("inner"),
        "ab",
    ),
    Shape(
        "foreach",
        (_each("start", "work", "['x', 'y', 'z']"), _line("work", "join"), _join("join", "start", "end"), _end()),
        Key("work", (1,)),
        "work",
    ),
    Shape(
        "foreach_of_one",
        (_each("start", "work", "(None,)"), _line("work", "join"), _join("join", "start", "end", "position"),
         _end()),
        Key("join"),
        "work",
    ),
    Shape(
        "foreach_over_text",
        (_each("start", "work", "'aß'"), _line("work", "more"), _line("more", "join"),
         _join("join", "start", "end"), _end()),
        Key("more", (0,)),
        "more",
    ),
    Shape(
        "wide_foreach",
        (_each("start", "work", "range(24)"), _line("work", "join"), _join("join", "start", "end"), _end()),
        Key("work", (17,)),
        "join",
    ),
    Shape(
        "nested_foreach",
        (_each("start", "outer", "{'p': 1, 'q': 2}"), _each("outer", "inner", "(10, 20, 30)"),
         _line("inner", "join_inner"), _join("join_inner", "outer", "join_outer"),
         _join("join_outer", "start", "end"), _end()),
        Key("inner", (1, 2)),
        "inner",
    ),
    Shape(
        "deep_foreach",
        (_each("start", "one", "[0, 1]"), _each("one", "two", "[0, 1]"), _each("two", "three", "[0, 1]"),
         _line("three", "join_three"), _join("join_three", "two", "join_two"),
         _join("join_two", "one", "join_one"), _join("join_one", "start", "end"), _end()),
        Key("join_three", (1, 0)),
        "three",
    ),
    Shape(
        "foreach_in_branch",
        (_split("start", "spread", "alone"), _each("spread", "work", "[5, 6]"), _line("work", "gather"),
         _join("gather", "spread", "join"), _line("alone", "join"), _join("join", "start", "end"), _end()),
        Key("gather"),
        "alone",
    ),
    Shape(
        "branch_in_foreach",
        (_each("start", "fork", "['u', 'v']"), _split("fork", "a", "b"), _line("a", "merge"),
         _line("b", "merge"), _join("merge", "fork", "join", "name"), _join("join", "start", "end"), _end()),
        Key("merge", (1,)),
        "a",
    ),
    Shape(
        "switch",
        (_switch("start", "'right'", "left", "right"), _line("left", "end"), _line("right", "end"), _end()),
        Key("end"),
        "right",
    ),
    Shape(
        "nested_switch",
        (_switch("start", "'a'", "a", "b"), _switch("a", "'ab'", "aa", "ab"), _line("aa", "meet"),
         _line("ab", "meet"), _line("meet", "last"), _line("b", "last"), _line("last", "end"), _end()),
        Key("meet"),
        "ab",
    ),
    Shape(
        "recursive_switch",
        (_line("start", "again"), _switch("again", "'again' if self.round < 4 else 'done'", "again", "done", counts=True),
         _line("done", "end"), _end()),
        Key("again", (), 3),
        "done",
    ),
    Shape(
        "switch_in_foreach",
        (_each("start", "choose", "[1, 2, 3]"),
         _switch("choose", "'odd' if self.where[0] % 2 else 'even'", "odd", "even"),
         _line("odd", "meet"), _line("even", "meet"), _line("meet", "join"), _join("join", "start", "end"), _end()),
        Key("meet", (1,)),
        "meet",
    ),
    Shape(
        "foreach_in_switch",
        (_switch("start", "'many'", "one", "many"), _line("one", "last"), _each("many", "work", "[7, 8]"),
         _line("work", "join"), _join("join", "many", "last"), _line("last", "end"), _end()),
        Key("work", (0,)),
        "work",
    ),
    Shape(
        "parallel",
        (Node("start", "parallel", ("rank",), width=2), _line("rank", "join"), _join("join", "start", "end"), _end()),
        Key("join"),
        "join",
    ),
    Shape(
        "hybrid",
        (_split("start", "spread", "choose"), _each("spread", "fork", "['m', 'n']"), _split("fork", "a", "b"),
         _line("a", "merge"), _line("b", "merge"), _join("merge", "fork", "gather", "position"),
         _join("gather", "spread", "join"), _switch("choose", "'up'", "up", "down"), _line("up", "meet"),
         _line("down", "meet"), _line("meet", "join"), _join("join", "start", "again"),
         _switch("again", "'again' if self.round < 2 else 'end'", "again", "end", counts=True), _end()),
        Key("gather"),
        "a",
    ),
)  # fmt: skip

BY_NAME = {shape.name: shape for shape in SHAPES}
