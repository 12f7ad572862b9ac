"""Compiles a module for a pod: without annotations, without ``typing``, its named tuples spelled out.

``typing`` and the making of named tuples are about a third of what a pod would spend before its step. Both
are a convenience of the source only, so they are resolved here, once, in the launcher. A named tuple becomes
the class that ``typing.NamedTuple`` would have made of it at each start. What stands in for the names of
``typing`` that are still needed is in :mod:`headway.plain`, and for some more modules of the standard library,
which load much that is never used, in :mod:`headway.lean`.
"""

import ast
from importlib import import_module
from types import CodeType
from typing import Any, TypeGuard, TypeVar

from headway.plain import __all__

_Node = TypeVar("_Node", bound=ast.AST)

#: The module of stand-ins, and what it offers under the same name.
STAND_INS = "headway.plain"
OFFERED = frozenset(__all__) - {"NamedTuple", "Row", "TYPE_CHECKING", "field", "new", "overload"}
#: The package of leaner modules, and what each of them offers; see its docstring.
LEAN = "headway.lean"
_LEANER = {
    name: frozenset(import_module(f"{LEAN}.{name}").__all__)
    for name in ("collections", "functools", "json", "pickle", "signal", "socket", "threading", "types")
}
#: Names of ``typing`` that are gone once a module has been transformed.
_RESOLVED = frozenset({"NamedTuple", "TYPE_CHECKING", "overload"})
#: What the spelled-out classes use, under names that no module of ours has.
_PARTS = {"Row": "_slim_row", "new": "_slim_new", "field": "_slim_field"}


class _NotUnderstoodError(Exception):
    """The module does with ``typing`` what is not resolved here."""


def compile_slim(source: bytes, name: str) -> CodeType:
    """The code of a module, free of what only its readers and type checkers need.

    A module that does with ``typing`` what is not understood here is compiled as it stands.

    Args:
        source: The module's source.
        name: What tracebacks call it.
    """
    tree = _lean_tree(source, name)
    try:
        tree.body = _slimmed(tree.body)
    except _NotUnderstoodError:
        tree = _lean_tree(source, name)
    return compile_plain(tree, name)


def compile_plain(source: bytes | ast.Module, name: str) -> CodeType:
    """The code of a module as it stands, without docstrings: a pod reads none."""
    code: CodeType = compile(source, name, "exec", dont_inherit=True, optimize=2)
    return code


def without_words(source: bytes) -> bytes:
    """A module's source without docstrings and lines of comment, every statement on the line where it was."""
    lines = source.decode().split("\n")
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        first = node.body[0] if node.body else None
        if not isinstance(first, ast.Expr) or ast.get_docstring(node, clean=False) is None:
            continue
        # A body that is nothing else stays one; so does what stands on the line of its def.
        if len(node.body) == 1 and not isinstance(node, ast.Module):
            continue
        end = first.end_lineno or first.lineno
        if (
            lines[end - 1].rstrip().endswith(('"""', '"'))
            and not lines[first.lineno - 1][: first.col_offset].strip()
        ):
            lines[first.lineno - 1 : end] = [""] * (end - first.lineno + 1)
    held = _lines_of_text(tree)
    kept = (
        "" if line.lstrip().startswith("#") and number not in held else line
        for number, line in enumerate(lines, 1)
    )
    return "\n".join(kept).encode()


def _lines_of_text(tree: ast.Module) -> set[int]:
    """The lines within strings of several lines, where a # is no comment."""
    return {
        number
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant | ast.JoinedStr) and (node.end_lineno or 0) > node.lineno
        for number in range(node.lineno, (node.end_lineno or 0) + 1)
    }


def _slimmed(statements: list[ast.stmt]) -> list[ast.stmt]:
    return [kept for statement in statements for kept in _resolved(statement)]


def _resolved(node: ast.stmt) -> list[ast.stmt]:
    """What stays of a statement. Expressions are not looked at: no annotation stands in one."""
    if isinstance(node, ast.Import):
        if any(alias.name == "typing" for alias in node.names):
            raise _NotUnderstoodError
    elif isinstance(node, ast.ImportFrom):
        return _resolved_import(node)
    elif isinstance(node, ast.AnnAssign):
        value = node.value
        return [] if value is None else [ast.copy_location(ast.Assign([node.target], value), node)]
    elif isinstance(node, ast.If) and _is_name(node.test, "TYPE_CHECKING"):
        return _slimmed(node.orelse)
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        if any(_is_name(mark, "overload") for mark in node.decorator_list):
            return []
        _strip_signature(node)
    elif isinstance(node, ast.ClassDef) and any(_is_name(base, "NamedTuple") for base in node.bases):
        node = _spelled_out(node)
    _slim_blocks(node)
    return [node]


def _resolved_import(node: ast.ImportFrom) -> list[ast.stmt]:
    if node.module not in ("typing", STAND_INS):
        return [node]
    names = {alias.name for alias in node.names}
    if any(alias.asname for alias in node.names) or not names <= OFFERED | _RESOLVED:
        raise _NotUnderstoodError
    wanted = [ast.alias(name, None) for name in sorted(names & OFFERED)]
    if "NamedTuple" in names:
        wanted += [ast.alias(name, alias) for name, alias in _PARTS.items()]
    return [_placed(ast.ImportFrom(STAND_INS, wanted, 0), node)] if wanted else []


def _strip_signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    node.returns = None
    given = node.args
    for each in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg):
        if each is not None:
            each.annotation = None


def _slim_blocks(node: ast.stmt) -> None:
    """The blocks of statements that a statement holds, none of which may become empty where it was not."""
    holders: list[Any] = [node, *getattr(node, "handlers", ()), *getattr(node, "cases", ())]
    for holder in holders:
        for block in ("body", "orelse", "finalbody"):
            statements = getattr(holder, block, None)
            if statements:
                left = _slimmed(statements)
                setattr(
                    holder, block, left or ([_placed(ast.Pass(), statements[0])] if block == "body" else [])
                )


def _spelled_out(node: ast.ClassDef) -> ast.ClassDef:
    """The class that ``NamedTuple`` would make of this one, less what all of them have from their base."""
    if len(node.bases) != 1 or node.keywords:
        raise _NotUnderstoodError
    fields = [each for each in node.body if isinstance(each, ast.AnnAssign)]
    names = [field.target.id for field in fields if isinstance(field.target, ast.Name)]
    defaults = [field.value for field in fields if field.value is not None]
    values = "".join(f"{name}, " for name in names)
    lines = [
        "__slots__ = ()",
        f"_fields = __match_args__ = {tuple(names)!r}",
        f"def __new__(_cls, {values}): return {_PARTS['new']}(_cls, ({values}))",
        f"_field_defaults = dict(zip(_fields[{len(names) - len(defaults)}:], __new__.__defaults__ or ()))",
        *(f"{name} = {_PARTS['field']}({index}, None)" for index, name in enumerate(names)),
    ]
    made = [_placed(each, node) for each in ast.parse("\n".join(lines)).body]
    next(each for each in made if isinstance(each, ast.FunctionDef)).args.defaults = defaults
    node.bases = [_placed(ast.Name(_PARTS["Row"], ast.Load()), node)]
    node.body = [*made, *(each for each in node.body if each not in fields)]
    return node


def _lean_tree(source: bytes, name: str) -> ast.Module:
    """The module's tree, with the imports of leaner modules."""
    tree = ast.parse(source, name)
    if not name.startswith(LEAN.replace(".", "/")):
        tree.body = [_leaner(statement, tree) for statement in tree.body]
    return tree


def _leaner(node: ast.stmt, module: ast.Module) -> ast.stmt:
    """The import of a leaner module, where this is one that it can stand in for.

    Only at the top of a module: what is imported within a function is so because it is seldom needed.
    """
    if isinstance(node, ast.Import) and len(node.names) == 1 and node.names[0].asname is None:
        name = node.names[0].name
        if name in _LEANER and _used(module, name) <= _LEANER[name]:
            return _placed(ast.ImportFrom(LEAN, [ast.alias(name, None)], 0), node)
    elif isinstance(node, ast.ImportFrom) and node.module in _LEANER:
        names = {alias.name for alias in node.names}
        return (
            _placed(ast.ImportFrom(f"{LEAN}.{node.module}", node.names, 0), node)
            if names <= _LEANER[node.module]
            else node
        )
    return node


def _used(module: ast.Module, name: str) -> set[str]:
    """What is used of an imported module; "" stands for the module itself."""
    inside = [
        node for node in ast.walk(module) if isinstance(node, ast.Attribute) and _is_name(node.value, name)
    ]
    read = [node for node in ast.walk(module) if _is_name(node, name) and isinstance(node.ctx, ast.Load)]
    return {node.attr for node in inside} | ({""} if len(read) > len(inside) else set())


def _is_name(node: ast.AST, name: str) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and node.id == name


def _placed(node: _Node, where: ast.stmt) -> _Node:
    """The node, it and all below it where another one stands."""
    for each in ast.walk(node):
        if "lineno" in each._attributes:
            ast.copy_location(each, where)
    return node
