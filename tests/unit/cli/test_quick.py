"""What is answered before the command line's library is loaded: the very same, and with little loaded."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cli_flows import Digits

from headway import Config, FlowSpec, Parameter, card, kubernetes, project, retry, step
from headway.cli import quick
from headway.cli.help_pages import PAGES, USAGE
from headway.cli.start import run_command

ROOT = Path(__file__).parents[3]
HELP_PAGES = ROOT / "src/headway/cli/help_pages.py"


class Plain(FlowSpec):
    @step
    def start(self) -> None:
        self.next(self.left, self.right)

    @retry
    @step
    def left(self) -> None:
        """Goes left."""
        self.next(self.join)

    @step
    def right(self) -> None:
        self.next(self.join)

    @step
    def join(self, inputs: Any) -> None:
        self.kind = "x"
        self.next({"x": self.again, "y": self.end}, condition="kind")

    @step
    def again(self) -> None:
        self.next(self.end)

    @step
    def end(self) -> None:
        pass


class Told(Plain):
    """Its first paragraph is longer than most terminals are wide, so that it goes over several lines.

    The second one
    is not.
    """


class Hyphens(Plain):
    """Short, with hy-phens."""


class LongHyphens(Plain):
    """It is told in so many words that there are several lines, one of which could end in the middle of a well-known word."""  # noqa: E501


class Blanks(Plain):
    """A text.

    Indented.
    """


class Configured(Plain):
    config = Config("config", default_value={"a": 1})


@project(name="mine")
class Projected(Plain):
    pass


class Wrong(Plain):
    alpha = Parameter("alpha", default=0.5, type=list)


class WrongAttribute(Plain):
    @kubernetes(cpu="many")
    @step
    def end(self) -> None:
        pass


class Unfinished(Plain):
    @card(type="blank")
    @step
    def end(self) -> None:
        pass


QUICK = [Digits, Plain, Told, Hyphens, Unfinished]
LEFT = [Configured, Projected]


@pytest.fixture(autouse=True)
def _no_user_decorators(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process of its own: other tests have loaded what flows with such decorators load."""
    monkeypatch.delitem(sys.modules, "headway.flow.user_decorators", raising=False)


def both(flow: Any, typed: str, capsys: pytest.CaptureFixture[str]) -> tuple[bool, Any, Any]:
    """Whether it was answered quickly, what was said then, and what is said the ordinary way."""
    done = quick.answer(flow, [typed], "flow.py")
    said = capsys.readouterr()
    assert run_command(flow, [typed], "flow.py") == 0
    return done, said, capsys.readouterr()


@pytest.mark.parametrize("flow", QUICK)
@pytest.mark.parametrize("columns", ["80", "110", "200", "0", "x"])
def test_help_is_the_same(
    flow: Any, columns: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for typed in ("--help", "-h"):
        done, said, ordinary = both(flow, typed, capsys)
        assert done
        assert said == ordinary


@pytest.mark.parametrize("flow", [*QUICK, LongHyphens, Blanks, *LEFT])
def test_no_width_makes_a_difference(
    flow: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for columns in (1, 50, 53, 79, 81, 109, 111):
        monkeypatch.setenv("COLUMNS", str(columns))
        done, said, ordinary = both(flow, "--help", capsys)
        assert said == (ordinary if done else ("", ""))


@pytest.mark.parametrize("flow", QUICK)
def test_show_is_the_same(flow: Any, capsys: pytest.CaptureFixture[str]) -> None:
    done, said, ordinary = both(flow, "show", capsys)
    assert done
    assert said == ordinary
    assert said.out


@pytest.mark.parametrize("name", [*sorted(quick.SILENT), "TEST_BUCKET", "BENCH_PEER_IMAGE"])
def test_variables_that_make_no_difference(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"METAFLOW_{name}", "2")
    done, said, ordinary = both(Digits, "show", capsys)
    assert done
    assert said == ordinary


@pytest.mark.parametrize("flow", LEFT)
@pytest.mark.parametrize("typed", ["show", "--help"])
def test_flows_that_are_left_to_the_ordinary_way(
    flow: Any, typed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not quick.answer(flow, [typed], "flow.py")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("flow", [Wrong, WrongAttribute])
def test_mistakes_are_told_the_ordinary_way(flow: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert not quick.answer(flow, ["show"], "flow.py")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "typed", [[], ["check"], ["run"], ["show", "--help"], ["--quiet", "show"], ["shw"], ["--hlp"], ["help"]]
)
def test_what_else_is_typed(typed: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert not quick.answer(Digits, typed, "flow.py")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["HEADWAY_WITH", "METAFLOW_DEFAULT_DECOSPECS", "HEADWAY_PROFILE"])
def test_variables_that_may_make_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "retry")
    assert not quick.answer(Digits, ["show"], "flow.py")


@pytest.mark.parametrize("place", [".headway", ".metaflow", ".config/headway", ".metaflowconfig"])
def test_files_that_may_make_one(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "config.json").write_text("{}")
    below = tmp_path / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    assert not quick.answer(Digits, ["show"], "flow.py")


def test_the_pages_are_what_the_library_prints(
    update_golden: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = {}
    for columns in (80, 110):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert run_command(Plain, ["--help"], "flow.py") == 0
        usage, page = re.split(r"\n\n  The flow Plain.\n\n", capsys.readouterr().out)
        pages[columns - 2] = page.rstrip("\n")
    usage = usage.removeprefix("Usage: python flow.py ")
    if update_golden:
        texts = "".join(f'    {width}: """\\\n{page}""",\n' for width, page in pages.items())
        HELP_PAGES.write_text(
            '"""``--help`` as the command line\'s library prints it, for terminals of 80 columns and of 110 and more.\n\n'
            "Without the flow's own words. tests/unit/cli/test_quick.py writes this file.\n"
            '"""\n\n'
            f"USAGE = {json.dumps(usage)}\n\nPAGES = {{\n{texts}}}\n"
        )
    assert (usage, pages) == (USAGE, PAGES), "run this test with --update-golden"


#: Of Python's and of ours: what one of the two may load on top of a bare interpreter. Raise it for a reason only.
MAY_LOAD = {"show": 60, "--help": 42}
HEAVY = {
    "ast", "asyncio", "click", "collections", "contextlib", "dataclasses", "enum", "functools", "inspect", "json",
    "linecache", "pathlib", "re", "shutil", "textwrap", "tokenize", "traceback", "typing",
    "headway.launch", "headway.store", "headway.runtime", "headway.schedule",
}  # fmt: skip


@pytest.mark.parametrize("typed", ["show", "--help"])
@pytest.mark.budget(4)
def test_little_is_loaded(typed: str, tmp_path: Path) -> None:
    flow = tmp_path / "flow.py"
    flow.write_text(
        "import atexit, sys\n"
        f"sys.path.insert(0, {str(ROOT / 'src')!r})\n"
        "before = set(sys.modules)\n"
        "atexit.register(lambda: print('', *sorted(set(sys.modules) - before), file=sys.stderr))\n"
        "from headway import FlowSpec, Parameter, retry, step\n"
        "class Flow(FlowSpec):\n"
        "    alpha = Parameter('alpha', default=1)\n"
        "    @retry\n"
        "    @step\n"
        "    def start(self):\n"
        "        self.next(self.end)\n"
        "    @step\n"
        "    def end(self): pass\n"
        "Flow()\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", flow.name, typed],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"HOME": str(tmp_path)},
        check=True,
    )
    loaded = set(done.stderr.split())
    assert not {name for name in loaded if name.partition(".")[0] in HEAVY or name in HEAVY}
    assert len(loaded) <= MAY_LOAD[typed], sorted(loaded)
