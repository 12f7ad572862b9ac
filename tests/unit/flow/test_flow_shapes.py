"""The graphs of many shapes of flows, as parsed from their source."""

import json
from typing import Any

import pytest
from flow_sources import Shape, parse, parse_body, shapes, steps

from headway.flow.cards import NO_CARDS
from headway.flow.decorators import DecoratorSpec
from headway.flow.graph import Graph

SHAPES: dict[str, tuple[dict[str, str], dict[str, Shape]]] = {
    "single step": ({"only": ""}, {"only": Shape("end")}),
    "linear": (
        {"start": "self.a", "a": "self.end", "end": ""},
        {"start": Shape("linear", ("a",)), "a": Shape("linear", ("end",)), "end": Shape("end")},
    ),
    "branch": (
        {"start": "self.a, self.b", "a": "self.join", "b": "self.join", "join": "self.end", "end": ""},
        {
            "start": Shape("split", ("a", "b")),
            "a": Shape("linear", ("join",)),
            "b": Shape("linear", ("join",)),
            "join": Shape("join", ("end",), "start"),
            "end": Shape("end"),
        },
    ),
    "nested branch": (
        {
            "start": "self.a, self.b", "a": "self.c, self.d", "c": "self.join_a", "d": "self.join_a",
            "join_a": "self.join", "b": "self.join", "join": "self.end", "end": "",
        },
        {
            "start": Shape("split", ("a", "b")), "a": Shape("split", ("c", "d")),
            "c": Shape("linear", ("join_a",)), "d": Shape("linear", ("join_a",)),
            "join_a": Shape("join", ("join",), "a"), "b": Shape("linear", ("join",)),
            "join": Shape("join", ("end",), "start"), "end": Shape("end"),
        },
    ),
    "a branch that ends in one of two ways": (
        {
            "start": "self.a, self.b", "a": '{"l": self.c, "r": self.d}, condition="k"', "c": "self.join",
            "d": "self.join", "b": "self.join", "join": "self.end", "end": "",
        },
        {
            "start": Shape("split", ("a", "b")), "a": Shape("switch", ("c", "d")),
            "c": Shape("linear", ("join",)), "d": Shape("linear", ("join",)), "b": Shape("linear", ("join",)),
            "join": Shape("join", ("end",), "start"), "end": Shape("end"),
        },
    ),
    "foreach": (
        {"start": 'self.a, foreach="items"', "a": "self.join", "join": "self.end", "end": ""},
        {
            "start": Shape("foreach", ("a",)), "a": Shape("linear", ("join",)),
            "join": Shape("join", ("end",), "start"), "end": Shape("end"),
        },
    ),
    "nested foreach of three levels": (
        {
            "start": 'self.a, foreach="x"', "a": 'self.b, foreach="y"', "b": 'self.c, foreach="z"',
            "c": "self.join_c", "join_c": "self.join_b", "join_b": "self.join_a", "join_a": "self.end", "end": "",
        },
        {
            "start": Shape("foreach", ("a",)), "a": Shape("foreach", ("b",)), "b": Shape("foreach", ("c",)),
            "c": Shape("linear", ("join_c",)), "join_c": Shape("join", ("join_b",), "b"),
            "join_b": Shape("join", ("join_a",), "a"), "join_a": Shape("join", ("end",), "start"),
            "end": Shape("end"),
        },
    ),
    "foreach in a branch": (
        {
            "start": "self.a, self.b", "a": 'self.c, foreach="x"', "c": "self.join_c", "join_c": "self.join",
            "b": "self.join", "join": "self.end", "end": "",
        },
        {
            "start": Shape("split", ("a", "b")), "a": Shape("foreach", ("c",)),
            "c": Shape("linear", ("join_c",)), "join_c": Shape("join", ("join",), "a"),
            "b": Shape("linear", ("join",)), "join": Shape("join", ("end",), "start"), "end": Shape("end"),
        },
    ),
    "branch in a foreach": (
        {
            "start": 'self.a, foreach="x"', "a": "self.b, self.c", "b": "self.join_a", "c": "self.join_a",
            "join_a": "self.join", "join": "self.end", "end": "",
        },
        {
            "start": Shape("foreach", ("a",)), "a": Shape("split", ("b", "c")),
            "b": Shape("linear", ("join_a",)), "c": Shape("linear", ("join_a",)),
            "join_a": Shape("join", ("join",), "a"), "join": Shape("join", ("end",), "start"),
            "end": Shape("end"),
        },
    ),
    "switch": (
        {"start": '{"x": self.a, "y": self.b}, condition="kind"', "a": "self.end", "b": "self.end", "end": ""},
        {
            "start": Shape("switch", ("a", "b")), "a": Shape("linear", ("end",)),
            "b": Shape("linear", ("end",)), "end": Shape("end"),
        },
    ),
    "switch straight to the end": (
        {"start": '{"x": self.a, "y": self.end}, condition="kind"', "a": "self.end", "end": ""},
        {"start": Shape("switch", ("a", "end")), "a": Shape("linear", ("end",)), "end": Shape("end")},
    ),
    "recursive switch": (
        {
            "start": "self.loop", "loop": '{"again": self.loop, "done": self.end}, condition="state"',
            "end": "",
        },
        {
            "start": Shape("linear", ("loop",)), "loop": Shape("switch", ("loop", "end")), "end": Shape("end"),
        },
    ),
    "a recursive switch as the first step": (
        {"loop": '{"again": self.loop, "done": self.last}, condition="state"', "last": ""},
        {"loop": Shape("switch", ("loop", "last")), "last": Shape("end")},
    ),
    "nested switch": (
        {
            "start": '{1: self.a, 2: self.b}, condition="n"', "a": '{True: self.c, False: self.d}, condition="m"',
            "b": "self.e", "c": "self.e", "d": "self.e", "e": "self.end", "end": "",
        },
        {
            "start": Shape("switch", ("a", "b")), "a": Shape("switch", ("c", "d")),
            "b": Shape("linear", ("e",)), "c": Shape("linear", ("e",)), "d": Shape("linear", ("e",)),
            "e": Shape("linear", ("end",)), "end": Shape("end"),
        },
    ),
    "switch in a foreach": (
        {
            "start": 'self.a, foreach="x"', "a": '{"l": self.b, "r": self.c}, condition="side"',
            "b": "self.d", "c": "self.d", "d": "self.join", "join": "self.end", "end": "",
        },
        {
            "start": Shape("foreach", ("a",)), "a": Shape("switch", ("b", "c")), "b": Shape("linear", ("d",)),
            "c": Shape("linear", ("d",)), "d": Shape("linear", ("join",)),
            "join": Shape("join", ("end",), "start"), "end": Shape("end"),
        },
    ),
    "switch in a branch": (
        {
            "start": "self.a, self.b", "a": '{"l": self.c, "r": self.d}, condition="side"', "c": "self.d",
            "d": "self.join", "b": "self.join", "join": "self.end", "end": "",
        },
        {
            "start": Shape("split", ("a", "b")), "a": Shape("switch", ("c", "d")),
            "c": Shape("linear", ("d",)), "d": Shape("linear", ("join",)), "b": Shape("linear", ("join",)),
            "join": Shape("join", ("end",), "start"), "end": Shape("end"),
        },
    ),
    "parallel": (
        {"start": "self.gang, num_parallel=4", "gang": "self.join", "join": "self.end", "end": ""},
        {
            "start": Shape("parallel", ("gang",)), "gang": Shape("linear", ("join",)),
            "join": Shape("join", ("end",), "start"), "end": Shape("end"),
        },
    ),
    "a join that splits again": (
        {
            "start": "self.a, self.b", "a": "self.join", "b": "self.join", "join": 'self.c, foreach="x"',
            "c": "self.join_c", "join_c": "self.end", "end": "",
        },
        {
            "start": Shape("split", ("a", "b")), "a": Shape("linear", ("join",)),
            "b": Shape("linear", ("join",)), "join": Shape("foreach", ("c",), "start"),
            "c": Shape("linear", ("join_c",)), "join_c": Shape("join", ("end",), "join"), "end": Shape("end"),
        },
    ),
    "two foreachs one after the other": (
        {
            "start": 'self.a, foreach="x"', "a": "self.join_a", "join_a": "self.b", "b": 'self.c, foreach="y"',
            "c": "self.join_c", "join_c": "self.end", "end": "",
        },
        {
            "start": Shape("foreach", ("a",)), "a": Shape("linear", ("join_a",)),
            "join_a": Shape("join", ("b",), "start"), "b": Shape("foreach", ("c",)),
            "c": Shape("linear", ("join_c",)), "join_c": Shape("join", ("end",), "b"), "end": Shape("end"),
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shape(shape: str) -> None:
    said, expected = SHAPES[shape]
    graph = steps(**said)
    assert shapes(graph) == expected
    for node in graph:
        if node.matching_split is not None:
            assert graph[node.matching_split].matching_join == node.name
            assert node.takes_inputs


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_json_and_back(shape: str) -> None:
    graph = steps(**SHAPES[shape][0])
    again = Graph.from_json(json.loads(json.dumps(graph.to_json())))
    assert again == graph
    assert again.nodes == graph.nodes
    assert (again.start, again.end) == (graph.start, graph.end)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_order_follows_the_flow(shape: str) -> None:
    graph = steps(**SHAPES[shape][0])
    order = [node.name for node in graph.in_order()]
    assert sorted(order) == sorted(graph.nodes)
    assert order[0] == graph.start
    assert order[-1] == graph.end
    for node in graph:
        assert all(
            order.index(node.name) < order.index(target) for target in node.targets if target != node.name
        )


def test_what_a_node_holds() -> None:
    graph = parse(
        '''
        class Digits(FlowSpec):
            """Recognise digits.

            Indented
                more."""

            @kubernetes(cpu=4)
            @retry
            @step
            def start(self):
                """Load them."""
                self.items = [1]
                self.next(
                    self.train,
                    foreach="items",
                )

            @step(node_info={"team": "ml"})
            def train(self):
                self.next(self.collect)

            @step
            def collect(self, inputs):
                self.next(self.end)

            @step
            def end(self): pass
        '''
    )
    start = graph["start"]
    assert graph.name == "Digits"
    assert graph.doc == "Recognise digits.\n\nIndented\n    more."
    assert (start.foreach, start.doc, start.line, start.next_line) == ("items", "Load them.", 11, 14)
    assert [(spec.name, dict(spec.attributes)) for spec in start.decorators] == [
        ("kubernetes", {"cpu": 4}),
        ("retry", {}),
    ]
    assert start.decorators[0].location == (start.file, 8)
    assert graph["collect"].takes_inputs
    assert graph["train"].info == {"team": "ml"}
    assert graph.predecessors("collect") == ("train",)
    assert "train" in graph
    assert len(graph) == 4
    assert repr(graph) == "<Graph Digits: start, train, collect, end>"


def test_what_a_newer_version_added_is_ignored() -> None:
    graph = steps(start="self.end", end="")
    raw = graph.to_json()
    raw["nodes"][0]["colour"] = "red"
    raw["weather"] = "fair"
    assert Graph.from_json(raw) == graph


def test_what_stands_beside_a_step_survives_json() -> None:
    graph = parse_body("@retry(times=2)\n@step(node_info={'owner': {1}})\ndef only(self): pass\n")
    again = Graph.from_json(json.loads(json.dumps(graph.to_json())))
    assert again["only"].info == {"owner": [1]}
    assert again["only"].decorators[0].attributes == {"times": 2}
    assert again["only"].line == graph["only"].line


def test_switch_details() -> None:
    graph = parse_body(
        """
        @step
        def start(self):
            self.next({"a": self.x, 2: self.y, -1: self.x, self.config.kind: self.y}, condition="which")
        @step
        def x(self): self.next(self.end)
        @step
        def y(self): self.next(self.end)
        @step
        def end(self): pass
        """
    )
    assert graph["start"].condition == "which"
    assert graph["start"].cases == (("a", "x"), ("2", "y"), ("-1", "x"), ("self.config.kind", "y"))


@pytest.mark.parametrize(("written", "number"), [("4", 4), ("self.n", None), ("2 * 3", None)])
def test_num_parallel_is_known_where_it_is_a_number(written: str, number: int | None) -> None:
    graph = steps(start=f"self.gang, num_parallel={written}", gang="self.join", join="self.end", end="")
    assert graph["start"].num_parallel == number
    assert graph["gang"].is_parallel


def test_a_gang_may_be_reached_by_a_plain_next_and_is_then_one_task() -> None:
    graph = parse_body(
        """
        @kubernetes(cpu=8, port=29500)
        @parallel(num_nodes=4)
        @step
        def distributed_step(self):
            self.next(self.end)
        @step
        def end(self): pass
        """
    )
    assert graph["distributed_step"].kind == "linear"
    assert graph["distributed_step"].is_parallel
    assert graph.start == "distributed_step"


@pytest.mark.parametrize(
    ("said", "start", "end"),
    [
        ({"train": "self.end", "end": ""}, "train", "end"),
        ({"start": "self.report", "report": ""}, "start", "report"),
        ({"load": "self.train", "train": "self.report", "report": ""}, "load", "report"),
        ({"end": ""}, "end", "end"),
        ({"start": ""}, "start", "start"),
        ({"z": "self.a", "a": ""}, "z", "a"),
    ],
)
def test_start_and_end_are_inferred(said: dict[str, str], start: str, end: str) -> None:
    graph = steps(**said)
    assert (graph.start, graph.end) == (start, end)


def test_start_and_end_can_be_annotated() -> None:
    graph = parse_body(
        """
        @step(end=True)
        def z(self): pass
        @step(start=True)
        def a(self): self.next(self.z)
        """
    )
    assert (graph.start, graph.end) == ("a", "z")
    assert graph["a"].start
    assert graph["z"].end


def test_late_decorators_attach_where_they_lack() -> None:
    graph = parse_body(
        """
        @kubernetes(cpu=4)
        @step
        def start(self): self.next(self.end)
        @step
        def end(self): pass
        """
    )
    late: Any = graph["start"].decorators[0]._replace(attributes={"cpu": 1}, source="--with kubernetes:cpu=1")
    bare = late._replace(attributes={}, source="--with kubernetes")
    attached = graph.with_decorators([late, bare, late._replace(name="retry", attributes={}), late])
    assert [(spec.name, spec.attributes) for spec in attached["start"].decorators] == [
        ("kubernetes", {"cpu": 4}),
        ("retry", {}),
    ]
    assert attached["start"].decorators[0].beneath == (late,), "what it leaves open, once"
    assert Graph.from_json(attached.to_json()) == attached
    assert [spec.name for spec in attached["end"].decorators] == ["kubernetes", "retry"]
    assert attached["end"].decorators[0].attributes == {"cpu": 1}
    assert [spec.name for spec in graph["end"].decorators] == []


def test_a_step_may_leave_early_by_the_call_that_ends_it() -> None:
    graph = parse_body(
        """
        @step
        def start(self):
            if self.small:
                self.next(self.end)
                return
            self.next(self.end)

        @step
        def end(self):
            pass
        """
    )
    assert shapes(graph)["start"] == Shape("linear", ("end",))


LEAVING = {
    "self.next(self.a, foreach='items')": {
        "self.next(self.a, foreach='more')": False,
        "self.next(self.a)": True,
        "self.next(self.b, foreach='items')": True,
    },
    "self.next({'x': self.a, 'y': self.b}, condition='kind')": {
        "self.next(self.b)": False,
        "self.next({'z': self.b}, condition='other')": False,
        "self.next(self.a, foreach='items')": True,
    },
    "self.next(self.a, self.b)": {
        "self.next(self.b, self.a)": False,
        "self.next(self.a)": True,
        "self.next(self.nowhere)": True,
    },
}


_REST = {
    "self.a, foreach": "def a(self): self.next(self.join)|def join(self, inputs): self.next(self.end)",
    "condition": "def a(self): self.next(self.end)|def b(self): self.next(self.end)",
    "self.a, self.b": "def a(self): self.next(self.join)|def b(self): self.next(self.join)"
    "|def join(self, inputs): self.next(self.end)",
}


@pytest.mark.parametrize(
    ("last", "early"), [(last, early) for last, ways in LEAVING.items() for early in ways], ids=str
)
def test_another_call_ahead_of_a_return_is_told_only_where_it_would_fail(last: str, early: str) -> None:
    rest = next(steps for words, steps in _REST.items() if words in last)
    steps = [f"def start(self):\n    if self.small:\n        {early}\n        return\n    {last}"]
    steps += [*rest.split("|"), "def end(self): pass"]
    graph = parse_body("\n".join(f"@step\n{step}" for step in steps))
    assert bool(graph.notes) is LEAVING[last][early]
    if graph.notes:
        assert early in graph.notes[0].replace('"', "'")
        assert last in graph.notes[0]
    assert graph.with_decorators([DecoratorSpec("retry")]).notes == graph.notes


@pytest.mark.parametrize("name", ["ITEMS", "f'{kind}s'", "self.kind", "names[0]"])
def test_a_foreach_over_what_is_named_at_run_time(name: str) -> None:
    steps = [f"def start(self): self.next(self.a, foreach={name})", "def a(self): self.next(self.join)"]
    steps += ["def join(self, inputs): self.next(self.end)", "def end(self): pass"]
    graph = parse_body("\n".join(f"@step\n{step}" for step in steps))
    assert shapes(graph)["start"] == Shape("foreach", ("a",))
    assert graph["start"].foreach is None
    assert Graph.from_json(graph.to_json()) == graph


def test_a_step_may_call_itself_by_another_name() -> None:
    source = """
        class F(FlowSpec):
            @step
            def start(self):
                me = self
                me.next(self.a)
            @step
            def a(this):
                me = you = this
                this.next({"x": me.b, "y": you.end}, condition="kind")
            @step
            def b(self):
                me = self
                self.next(me.end)
            @step
            def end(self):
                pass
    """
    graph = parse(source)
    assert [graph[name].targets for name in ("start", "a", "b")] == [("a",), ("b", "end"), ("end",)]


def test_of_a_case_that_is_written_twice_the_last_counts_as_in_any_dict() -> None:
    steps = [
        "def start(self): self.next({'x': self.a, 'x': self.b, 'z': self.a}, condition='kind')",
        *(f"def {name}(self): self.next(self.end)" for name in "ab"),
        "def end(self): pass",
    ]
    graph = parse_body("\n".join(f"@step\n{step}" for step in steps))
    assert graph["start"].cases == (("x", "b"), ("z", "a"))


def test_nothing_follows_the_end_whatever_it_calls() -> None:
    end = "def end(self):\n    if self.never:\n        self.next(self.start)"
    graph = parse_body(f"@step\ndef start(self): self.next(self.end)\n@step\n{end}")
    assert shapes(graph)["end"] == Shape("end")


FILLED = "@step\ndef a(self):\n    current.card.append('x')\n    self.next(self.b)\n"


@pytest.mark.parametrize(
    ("body", "told"),
    [(FILLED, 1), (FILLED.replace("current.card", "cards"), 0), (f"@card\n{FILLED}", 0)],
)
def test_that_no_card_is_made_is_told_where_no_decorator_asks_for_one(body: str, told: int) -> None:
    notes = parse_body(body + "@step\ndef b(self): pass\n").notes
    assert notes.count(NO_CARDS) == len(notes) == told
