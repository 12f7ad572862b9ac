"""``show`` and ``--help`` answered without the command line's library, where that makes no difference.

Loading the library takes longer than all else that these two do. Whatever might make a difference (another
option, a configuration, a mutator, a mistake, an unusual width) is left to the ordinary way, which says the same
in every case that is answered here: a test compares the two. Nothing is imported at the top that is not needed.
"""

import os
import sys

from headway.config.places import PREFIXES, metaflow_places, own_places
from headway.errors import HeadwayError
from headway.flow.docstrings import cleaned
from headway.flow.flow_decorators import flow_decorators_of
from headway.flow.members import configs_of
from headway.plain import Any, List, Mapping, Optional, Sequence
from headway.ui.writer import StreamWriter

#: Variables, without prefix, that say nothing to ``show``.
SILENT = frozenset(
    {
        "DATASTORE_SYSROOT_AZURE",
        "DATASTORE_SYSROOT_GS",
        "DATASTORE_SYSROOT_LOCAL",
        "DATASTORE_SYSROOT_S3",
        "DEFAULT_DATASTORE",
        "HOME",
        "KUBERNETES_CONTAINER_IMAGE",
        "KUBERNETES_CPU",
        "KUBERNETES_MEMORY",
        "KUBERNETES_NAMESPACE",
        "KUBERNETES_SECRETS",
        "KUBERNETES_SERVICE_ACCOUNT",
        "S3_ENDPOINT_URL",
        "USER",
    }
)

#: Beginnings of those that Headway's own tests and benchmarks read.
_OWN = ("TEST_", "BENCH_")


def answer(flow_class: Any, arguments: Sequence[str], program: str) -> bool:
    """Do what was typed, if it is one of the two and nothing else is to be considered.

    Args:
        flow_class: The flow.
        arguments: What was typed after the program's name.
        program: How the program was called.

    Returns:
        Whether it was done; otherwise nothing was.
    """
    if len(arguments) != 1 or not _is_plain(flow_class):
        return False
    if arguments[0] in ("--help", "-h"):
        return _help(flow_class, program)
    return arguments[0] == "show" and not _is_configured(os.environ) and _show(flow_class)


def _is_plain(flow_class: Any) -> bool:
    """Whether the flow, the main program, has neither configurations nor decorators that bring options along."""
    return (
        getattr(sys.modules["__main__"], "__file__", None) is not None
        and "headway.flow.user_decorators" not in sys.modules
        and not configs_of(flow_class)
        and "project" not in flow_decorators_of(flow_class)
    )


def _is_configured(environ: Mapping[str, str]) -> bool:
    """Whether a variable or a file might say something."""
    for name, value in environ.items():
        for prefix in PREFIXES:
            rest = name[len(prefix) :] if name.startswith(prefix) else ""
            if value and rest and rest not in SILENT and not rest.startswith(_OWN):
                return True
    try:
        cwd = os.getcwd()
    except OSError:
        # Told the ordinary way.
        return True
    files = (*own_places(environ, cwd, None), *metaflow_places(environ, cwd, None))
    return any(os.path.exists(path) for path in files)


def _show(flow_class: Any) -> bool:
    from headway.cli.show import print_graph  # not for --help
    from headway.flow.parse import parse_flow

    try:
        graph = parse_flow(flow_class)
    except HeadwayError:
        # Told the ordinary way.
        return False
    write = StreamWriter()
    print_graph(graph, write)
    _end(write)
    return True


def _help(flow_class: Any, program: str) -> bool:
    from headway.cli.help_pages import PAGES, USAGE  # not for show

    width = max(min(110, _columns()) - 2, 50)
    usage = f"Usage: python {program} {USAGE}"
    about = _filled(flow_class.__doc__ or f"The flow {flow_class.__name__}.", width - 2)
    if width not in PAGES or len(usage) > width or program == "-c" or about is None:
        return False
    lines = (f"  {line}" if line else "" for line in about)
    write = StreamWriter()
    write("\n".join([usage, "", *lines, "", PAGES[width]]))
    _end(write)
    return True


def _end(write: StreamWriter) -> None:
    """Where all that was asked for is lost, that is the end of it."""
    if write.lost:
        sys.exit(1)


def _filled(text: str, width: int) -> Optional[List[str]]:
    """Paragraphs of plain words, broken into lines; None where there is more to a text."""
    filled: List[str] = []
    for paragraph in cleaned(text.strip()).split("\n\n"):
        words = paragraph.replace("\n", " ").split(" ")
        whole = " ".join(words)
        # Hyphens may end a line, too long words are cut, and blanks may mean something.
        if not all(words) or not whole.isprintable() or ("-" in whole and len(whole) > width):
            return None
        lines = [words.pop(0)]
        for word in words:
            if len(lines[-1]) + 1 + len(word) <= width:
                lines[-1] += f" {word}"
            else:
                lines.append(word)
        if max(map(len, lines)) > width:
            return None
        filled += ["", *lines] if filled else lines
    return filled


def _columns() -> int:
    """The terminal's width as :func:`shutil.get_terminal_size` tells it, whose module takes long to load."""
    try:
        given = int(os.environ.get("COLUMNS", ""))
    except ValueError:
        given = 0
    if given > 0:
        return given
    try:
        # Where the program began to write, wherever it writes now.
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):
        return 80
