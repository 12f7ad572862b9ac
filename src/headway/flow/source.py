"""From a function to its syntax tree, wherever its source is: a file, a package, ``-c``, a prompt.

The launcher alone reads source; nothing here is imported in a pod.
"""

import os
import sys
from types import FunctionType

from headway.errors import FlowDefinitionError
from headway.flow.syntax import FunctionNode, definitions, parsed
from headway.plain import Any, Callable, Optional, Sequence, Union


class SourceReader:
    """Finds functions in the sources they were compiled from, parsing each source once.

    Args:
        source: The text of code that is in no file, such as ``python -c`` or an interactive session;
            None looks for it among the interpreter's arguments.
    """

    def __init__(self, source: Optional[str] = None) -> None:
        self._source = source
        self._functions: dict[str, dict[tuple[str, int], FunctionNode]] = {}
        self._texts: list[Union[str, bytes]] = []

    def find(self, function: Callable[..., Any]) -> tuple[FunctionNode, str]:
        """The definition of a function, and the file it is in.

        Raises:
            FlowDefinitionError: The source cannot be had, or has changed since it was imported.
        """
        plain = _unwrapped(function)
        if not isinstance(plain, FunctionType):
            raise FlowDefinitionError(
                f"A step is a plain method, but a decorator has made {plain!r} of it.",
                "Let the decorator return a function, made with functools.wraps.",
            )
        code = plain.__code__
        file: str = code.co_filename
        if file not in self._functions:
            text = self._text(plain, file)
            self._texts.append(text)
            self._functions[file] = _functions_of(text, file)
        node = self._functions[file].get((code.co_name, code.co_firstlineno))
        if node is None:
            raise FlowDefinitionError(
                f"Step '{code.co_name}' is not where it was in {file}, which has changed since its import.",
                "Start again.",
                file,
                code.co_firstlineno,
            )
        return node, file

    def mentions(self, words: str) -> bool:
        """Whether these words stand anywhere in a source that was read."""
        return any(words in text if isinstance(text, str) else words.encode() in text for text in self._texts)

    def _text(self, function: Any, file: str) -> Union[str, bytes]:
        try:
            # As the interpreter read it: the parser heeds what its first lines say of its encoding.
            with open(file, "rb") as source:
                return source.read()
        except OSError:
            if self._source is not None and not os.path.exists(file):
                return self._source
        # For notebooks, archives and the like; most flows are files, and are not slowed down by it.
        import linecache

        linecache.checkcache(file)
        lines = linecache.getlines(file, function.__globals__)
        if lines:
            return "".join(lines)
        text = command_source() if file == "<string>" else None
        if text is None:
            raise FlowDefinitionError(
                f"The source of step '{function.__name__}' cannot be read ({file}).",
                "The graph is made from it. Put the flow in a file, or start it with python -c.",
                file,
                function.__code__.co_firstlineno,
            )
        return text


def command_source(arguments: Optional[Sequence[str]] = None) -> Optional[str]:
    """The program text of ``python -c``, None where the interpreter was started otherwise.

    Args:
        arguments: The interpreter's whole command line; this process's by default.
    """
    words = iter((sys.orig_argv if arguments is None else arguments)[1:])
    for word in words:
        if not word.startswith("-") or word in ("-", "--"):
            return None
        if word.startswith("--"):
            if word == "--check-hash-based-pycs":
                next(words, None)
            continue
        for place, letter in enumerate(word[1:], start=2):
            if letter == "c":
                # What follows in the same word is the program; else the next word is.
                return word[place:] or next(words, None)
            if letter == "m":
                return None
            if letter in "WX":
                if not word[place:]:
                    next(words, None)
                break
    return None


def _unwrapped(function: Any) -> Any:
    """The function within what :func:`functools.wraps` was put around it."""
    seen = set()
    while hasattr(function, "__wrapped__") and id(function) not in seen:
        seen.add(id(function))
        function = function.__wrapped__
    return function


def _functions_of(text: Union[str, bytes], file: str) -> dict[tuple[str, int], FunctionNode]:
    try:
        tree = parsed(text, file)
    except IndentationError:
        if isinstance(text, bytes):
            raise
        # Python 3.14 runs indented programs given with -c.
        import textwrap

        tree = parsed(textwrap.dedent(text), file)
    found = {}
    for node in definitions(tree):
        # A code object's first line is that of the first decorator.
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        found[node.name, first] = node
    return found
