"""``IncludeFile``: a parameter whose value is what a file holds that is on the machine of who starts the run."""

import os
import sys
from typing import Any, NamedTuple, Optional

from headway.errors import HeadwayError, UsageError
from headway.flow.configs import Parser
from headway.flow.parameters import Parameter
from headway.flow.parser_of import parser_of


class FileContent(NamedTuple):
    """What a file held when the run was started; the launcher stores it once, by content.

    Attributes:
        data: Its bytes.
        name: Its name, without folders.
        encoding: How its text is encoded, None for bytes.
    """

    data: bytes
    name: str
    encoding: Optional[str] = None


class IncludeFile(Parameter):
    """A file of this machine as a read-only artifact of every step: ``data = IncludeFile("data", default="x.csv")``.

    It is given as a path, ``run --data other.csv``, and stored once however often and wherever it is used.

    Args:
        name: The name on the command line; the attribute may be called otherwise.
        required: Whether a run must be given a path.
        is_text: Whether steps get text; bytes otherwise. True by default.
        encoding: How the text is encoded, "utf-8" by default.
        help: What it means, for ``--help``.
        parser: A function from the content to the value that steps get, or its place
            (``"pkg.module.function"``; one that begins with a dot is Headway's own, ``".yaml_parser"``).
        default: The path where none is given, or a function of a
            :class:`~headway.flow.parameters.ParameterContext` that gives it; without it the value is None.
        show_default: Whether ``--help`` shows the default.
        **options: Anything else, kept for the command line.
    """

    def __init__(
        self,
        name: str,
        required: Optional[bool] = None,
        is_text: Optional[bool] = None,
        encoding: Optional[str] = None,
        help: Optional[str] = None,  # noqa: A002 - the name that flows write
        parser: Optional[Parser] = None,
        default: Any = None,
        show_default: Any = None,
        **options: Any,
    ) -> None:
        path = os.fspath(default) if isinstance(default, os.PathLike) else default
        super().__init__(name, path, str, help, required, show_default, **options)
        self.is_text: Any = True if is_text is None else is_text
        self.encoding: Any = "utf-8" if encoding is None else encoding
        self.parser = parser
        frame = sys._getframe(1)
        self.file, self.line = frame.f_code.co_filename, frame.f_lineno

    def __get__(self, flow: Any, owner: Any = None) -> Any:
        """The content within a step, the declaration itself on the class."""
        value = super().__get__(flow, owner)
        if flow is None or value is None or self.parser is None:
            return value
        parser = parser_of(self.parser, self.error)
        try:
            value = parser(value)
        except HeadwayError:
            raise
        except Exception as error:
            words = f"its content is refused by its parser: {type(error).__name__}: {error}"
            raise self.error(words) from error
        # Python looks there first from now on.
        flow.__dict__[self.attribute] = value
        return value

    @property
    def type_name(self) -> str:
        """The type in one word, for ``--help`` and errors."""
        return "path"

    def convert(self, text: str) -> Any:
        """The content of the file at this path.

        Raises:
            UsageError: There is no such file, or it is not the text that it is declared to be.
        """
        hint = f"Give the path of a file of this machine as --{self.name} PATH."
        scheme, separator, _ = text.partition("://")
        if separator:
            raise UsageError(
                f"Parameter '{self.name}' is a file of this machine, and cannot be the {scheme} URL {text}.",
                f"{hint} A step can read the URL itself.",
            )
        path = os.path.expanduser(text)
        try:
            with open(path, "rb") as file:
                data = file.read()
        except OSError as error:
            raise UsageError(
                f"Parameter '{self.name}' cannot be read from {path}: {error.strerror}.", hint
            ) from error
        if self.is_text:
            self._check_text(data, path)
        return FileContent(data, os.path.basename(path), self.encoding if self.is_text else None)

    def _check_text(self, data: bytes, path: str) -> None:
        try:
            data.decode(self.encoding)
        except LookupError as error:
            raise self.error(f"there is no encoding {self.encoding!r}.", "Write encoding='utf-8'.") from error
        except UnicodeDecodeError as error:
            raise UsageError(
                f"Parameter '{self.name}': {path} is no {self.encoding} text, as its byte {error.start} shows.",
                "Declare it with encoding=…, or with is_text=False to get its bytes.",
            ) from error

    def _default(self, context: Any) -> Any:
        path = super()._default(context)
        return None if path is None else self.convert(path)
