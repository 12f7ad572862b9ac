"""``self.next`` in source: which of its forms a call is, and what it says.

The forms are those of :mod:`headway.flow.transition`, which sees the same call at run time.
"""

import _ast as ast  # the nodes; all else of ast takes longer to load than reading the graph

from headway.errors import FlowDefinitionError
from headway.flow.graph import FOREACH, LINEAR, PARALLEL, SPLIT, SWITCH
from headway.flow.names import did_you_mean
from headway.flow.syntax import FunctionNode, unparsed, walk
from headway.plain import Any, Mapping, NamedTuple, Optional

#: What can be no name that is computed at run time.
_WRITTEN = (ast.Constant, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Lambda)

_FORMS = (
    'self.next(self.a), self.next(self.a, self.b), self.next(self.a, foreach="items"), '
    'self.next(self.a, num_parallel=4) or self.next({"x": self.a, "y": self.b}, condition="kind")'
)


#: What a step calls ``self``.
Names = tuple[str, ...]


class NextCall(NamedTuple):
    """What a ``self.next`` call says: the fields of a node that it decides."""

    kind: str
    targets: tuple[str, ...] = ()
    foreach: Optional[str] = None
    num_parallel: Optional[int] = None
    condition: Optional[str] = None
    cases: tuple[tuple[str, str], ...] = ()
    next_line: int = 0


class Refusal(NamedTuple):
    """Makes the errors of one step."""

    step: str
    file: str
    line: int

    def __call__(self, message: str, hint: Optional[str] = None, line: int = 0) -> FlowDefinitionError:
        return FlowDefinitionError(f"Step '{self.step}' {message}", hint, self.file, line or self.line)


class Found(NamedTuple):
    """The ``self.next`` of a step.

    Attributes:
        call: The one that ends the step, from which the graph is read; None where no call does.
        notes: What may go wrong with others, in words.
    """

    call: Optional[ast.Call] = None
    notes: tuple[str, ...] = ()


def own_names(definition: FunctionNode, this: str) -> Names:
    """What a step calls ``self``: its first argument, and what it says to be the same (``me = self``)."""
    names: Names = (this,)
    for statement in definition.body:
        if isinstance(statement, ast.Assign) and _is_name(statement.value, names):
            names += tuple(target.id for target in statement.targets if isinstance(target, ast.Name))
    return names


def find_next(refuse: Refusal, definition: FunctionNode, this: Names, end: bool = False) -> Found:
    """The call of ``self.next`` in the last statement.

    Others may stand before it, ahead of a return: the flow goes where the graph has it, as long as they say the
    same, in other words perhaps; what they say is known once one is reached, and checked then. Nothing follows the
    flow's end, whatever it calls.
    """
    last = definition.body[-1]
    found = last.value if isinstance(last, ast.Expr) and _is_next(last.value, this) else None
    others = [node for node in walk(definition) if node is not found and _is_next(node, this)]
    if not isinstance(found, ast.Call):
        if end:
            return Found()
        for node in others:
            raise refuse(
                "calls self.next, but not as its last statement.",
                "Move it to the end, outside of if, for, try and return. To choose the way at run time "
                'write self.next({"x": self.a, "y": self.b}, condition="kind").',
                getattr(node, "lineno", 0),
            )
        return Found()
    for node in others:
        if _is_certain(node, definition):
            said = [unparsed(node), unparsed(found)]
            raise refuse(
                f"calls self.next twice: {said[0]}."
                if said[0] == said[1]
                else f"calls self.next in two ways: {said[0]} and, at its end, {said[1]}.",
                "Its code may take many ways, but they all end in the same call. To choose what follows at run "
                'time write self.next({"x": self.a, "y": self.b}, condition="kind").',
                getattr(node, "lineno", 0),
            )
    return Found(
        found,
        tuple(
            f"Step '{refuse.step}' would fail at {unparsed(node)} (line {node.lineno}): the flow's graph has it go "
            f"on as its last line says, {unparsed(found)}."
            for node in others
            if isinstance(node, ast.Call) and not _may_agree(node, found)
        ),
    )


def _may_agree(other: ast.Call, last: ast.Call) -> bool:
    """Whether a call may lead where the last one does, as far as words tell: to the same steps in the same way."""
    if isinstance(last.args[0] if last.args else None, ast.Dict):
        # Which step of a switch it is shows once the call is made.
        return not {keyword.arg for keyword in other.keywords} - {"condition"}
    if [keyword.arg for keyword in other.keywords] == ["condition"]:
        return not last.keywords
    ways = [[keyword.arg for keyword in call.keywords] for call in (other, last)]
    targets = [sorted(unparsed(target) for target in call.args) for call in (other, last)]
    return ways[0] == ways[1] and targets[0] == targets[1]


def _is_certain(node: ast.AST, definition: FunctionNode) -> bool:
    """Whether a call is made whenever that at the end is: two calls are one too many."""
    for place, statement in enumerate(definition.body):
        if isinstance(statement, ast.Expr) and statement.value is node:
            return not any(
                isinstance(each, (ast.Return, ast.Raise))
                for later in definition.body[place:]
                for each in walk(later)
            )
    return False


def _is_next(node: ast.AST, this: Names) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "next"
        and _is_name(node.func.value, this)
    )


def _is_name(node: ast.AST, names: Names) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def read_next(refuse: Refusal, call: ast.Call, this: Names, configs: Optional[Mapping[str, Any]]) -> NextCall:
    """What a call of ``self.next`` says.

    Args:
        refuse: Makes the step's errors.
        call: The call.
        this: What the step calls ``self``, as :func:`own_names` gives it.
        configs: The flow's configurations, for the cases of a switch; None leaves those as written.
    """
    refuse = refuse._replace(line=call.lineno)
    keywords = {keyword.arg or "**": keyword.value for keyword in call.keywords}
    known = ("condition", "foreach", "num_parallel")
    for keyword in keywords:
        if keyword not in known:
            raise refuse(
                f"passes {keyword} to self.next, which has no such argument.", did_you_mean(keyword, known)
            )
    if len(keywords) > 1:
        raise refuse(
            f"passes {' and '.join(keywords)} to self.next.", "Use one of them, and put a step between."
        )
    if not call.args:
        raise refuse("names no step in self.next.", f"Write one of {_FORMS}.")
    if isinstance(call.args[0], ast.Dict) or "condition" in keywords:
        return _read_switch(refuse, call, keywords, this, configs)
    targets = tuple(_target(refuse, argument, this) for argument in call.args)
    if not keywords:
        return NextCall(LINEAR if len(targets) == 1 else SPLIT, targets, next_line=call.lineno)
    keyword, value = next(iter(keywords.items()))
    if len(targets) != 1:
        raise refuse(
            f"passes {keyword} with {len(targets)} steps.",
            "It leads to one step; split in the step that follows.",
        )
    if keyword == "foreach":
        # A name that is computed is known, and checked, at run time.
        name = _text(refuse, "foreach", value) if isinstance(value, _WRITTEN) else None
        return NextCall(FOREACH, targets, foreach=name, next_line=call.lineno)
    count = value.value if isinstance(value, ast.Constant) else None
    if isinstance(value, ast.Constant) and (type(count) is not int or count < 1):
        raise refuse(f"passes num_parallel={count!r}.", "It is a number of nodes, of at least 1.")
    # Anything but a number is computed at run time and checked then.
    return NextCall(
        PARALLEL, targets, num_parallel=count if isinstance(count, int) else None, next_line=call.lineno
    )


def _read_switch(
    refuse: Refusal,
    call: ast.Call,
    keywords: dict[str, ast.expr],
    this: Names,
    configs: Optional[Mapping[str, Any]],
) -> NextCall:
    form = 'A switch is self.next({"x": self.a, "y": self.b}, condition="kind").'
    first = call.args[0]
    if not isinstance(first, ast.Dict) or len(call.args) != 1:
        raise refuse("passes condition to self.next without one dict of steps.", form)
    if "condition" not in keywords:
        wrong = next(iter(keywords), None)
        raise refuse(
            f"passes a dict of steps with {wrong}." if wrong else "passes a dict of steps alone.", form
        )
    # As in any dict, of a case that is written twice the last counts.
    written = {
        "**" if key is None else unparsed(key): (
            _case(refuse, key, this, configs),
            _target(refuse, value, this),
        )
        for key, value in zip(first.keys, first.values)
    }
    cases = list(written.values())
    if len(cases) < 2:
        raise refuse(
            "has a switch with fewer than two cases.", "Add a case, or write self.next(self.<step>)."
        )
    return NextCall(
        SWITCH,
        tuple(dict.fromkeys(target for _, target in cases)),
        condition=_text(refuse, "condition", keywords["condition"]),
        cases=tuple(cases),
        next_line=call.lineno,
    )


def _case(refuse: Refusal, key: Optional[ast.expr], this: Names, configs: Optional[Mapping[str, Any]]) -> str:
    """A switch's case as text: a literal, or a value of a configuration (``self.config.key``)."""
    if isinstance(key, ast.Constant) and isinstance(key.value, (str, int, float, bool)):
        return str(key.value)
    if (
        isinstance(key, ast.UnaryOp)
        and isinstance(key.op, ast.USub)
        and isinstance(key.operand, ast.Constant)
    ):
        return unparsed(key)
    path = _path(key, this)
    if path and key is not None:
        return unparsed(key) if configs is None else _configured(refuse, path, unparsed(key), configs)
    written = "**" if key is None else unparsed(key)
    raise refuse(
        f"has a switch with the case {written}.", "A case is a text, a number, or self.<config>.<key>."
    )


def _path(key: Optional[ast.expr], this: Names) -> list[Any]:
    """What ``self.config.key`` or ``self.config["key"]`` reads, from ``self`` on; [] where it is none."""
    path: list[Any] = []
    while isinstance(key, (ast.Attribute, ast.Subscript)):
        if isinstance(key, ast.Attribute):
            path.insert(0, key.attr)
        elif isinstance(key.slice, ast.Constant):
            path.insert(0, key.slice.value)
        else:
            return []
        key = key.value
    return path if key is not None and _is_name(key, this) else []


def _configured(refuse: Refusal, path: list[Any], written: str, configs: Mapping[str, Any]) -> str:
    """The value of a configuration that is a switch's case."""
    name, *rest = path
    if name not in configs:
        raise refuse(
            f"has a switch with the case {written}, but '{name}' is no configuration of the flow.",
            did_you_mean(str(name), configs) or "A case is a text, a number, or self.<config>.<key>.",
        )
    value = configs[name]
    for part in rest:
        if not isinstance(value, (Mapping, list, tuple)):
            raise refuse(f"has a switch with the case {written}, which the configuration does not have.")
        try:
            value = value[part]
        except (LookupError, TypeError):
            known = value if isinstance(value, Mapping) else ()
            raise refuse(
                f"has a switch with the case {written}, which the configuration does not have.",
                did_you_mean(str(part), known),
            ) from None
    if not isinstance(value, (str, int, float, bool)):
        raise refuse(
            f"has a switch with the case {written}, which is {value!r}.", "A case is a text or a number."
        )
    return str(value)


def _target(refuse: Refusal, node: ast.expr, this: Names) -> str:
    if isinstance(node, ast.Attribute) and _is_name(node.value, this):
        return node.attr
    written = unparsed(node)
    called = (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and _is_name(node.func.value, this)
    )
    hint = f"Write {written.partition('(')[0]}, without calling it." if called else f"Write one of {_FORMS}."
    raise refuse(f"passes {written} to self.next, which is not a step.", hint)


def _text(refuse: Refusal, keyword: str, value: ast.expr) -> str:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        if value.value.isidentifier():
            return value.value
        raise refuse(
            f"passes {keyword}={value.value!r}, which cannot be an artifact's name.", _named(keyword)
        )
    raise refuse(f"passes {keyword}={unparsed(value)}.", _named(keyword))


def _named(keyword: str) -> str:
    return f'It is the name of an artifact, as text: self.items = …, then {keyword}="items".'
