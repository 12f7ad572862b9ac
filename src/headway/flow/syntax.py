"""What reading a graph needs of :mod:`ast`, which alone takes longer to load than all modules that do it."""

import _ast as ast

from headway.plain import Any, Deque, Iterator, Union

FunctionNode = Union[ast.FunctionDef, ast.AsyncFunctionDef]

_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


def parsed(text: Union[str, bytes], file: str) -> ast.AST:
    """The syntax tree of a program.

    Raises:
        SyntaxError: It is none.
    """
    tree: ast.AST = compile(text, file, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    return tree


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it, level by level."""
    left = Deque([node])
    while left:
        each = left.popleft()
        for name in each._fields:
            value = getattr(each, name, None)
            if isinstance(value, ast.AST):
                left.append(value)
            elif isinstance(value, list):
                left.extend(item for item in value if isinstance(item, ast.AST))
        yield each


def definitions(tree: ast.AST) -> Iterator[FunctionNode]:
    """The functions of a program; only statements are looked at, for in no expression is one defined."""
    left: Any = [tree]
    while left:
        each = left.pop()
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield each
        for block in _BLOCKS:
            left.extend(getattr(each, block, ()))


def unparsed(node: ast.AST) -> str:
    """How a node is written, for words."""
    import ast as whole  # on the way to an error, and for what few flows say

    return whole.unparse(node)
