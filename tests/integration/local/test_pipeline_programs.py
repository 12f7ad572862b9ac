"""Pipelines of functions as programs: what they print, return and leave, with steps on this machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import headway

SOURCE = str(Path(headway.__file__).parents[1])

STEPS = """
from typing import Annotated
from headway import catch, pipeline, step, user_step_decorator


@user_step_decorator
def loud(step_name, flow, inputs, attributes):
    print("before", step_name)
    yield
    print("after", step_name)


class Rows(list):
    pass


@step
def load(rows: Rows, more: int = 0) -> Annotated[list, "table"]:
    print("loads", len(rows))
    return list(rows) * (1 + more)


@catch(var="why", print_exception=False)
@step
def risky(table: list) -> tuple[Annotated[int, "good"], Annotated[int, "bad"]]:
    raise ValueError("never works")


@loud
@step
def total(parts: dict, extra: list) -> int:
    print("parts", parts, "extra", extra)
    return sum(len(each) for each in parts["tables"])


@step
def wrong(x: int) -> tuple[int, int]:
    return x, x, x
"""

PROGRAM = """
import sys
from headway import pipeline
from steps import Rows, load, risky, total, wrong

@pipeline
def everything(rows: Rows, times: int = 2, fail: bool = False):
    tables = [load(rows, number) for number in range(times)]
    good, bad = risky(tables[0])
    size = total({"tables": tables, "title": "t"}, [bad, (good, 7)])
    if fail:
        wrong(size)

if __name__ == "__main__":
    ran = everything(Rows([1, 2, 3]), times=3)
    print("came back", ran.successful, ran["total"].task.data.output, sorted(ran.tags & {"ann", "user:ann"}))
    try:
        everything(Rows([1]), fail=True)
    except Exception as error:
        print("caught", type(error).__name__, error.run.successful)
    everything(Rows([1]), fail=True)
"""


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "steps.py").write_text(STEPS)
        (path / "program.py").write_text(PROGRAM)
        self.environ = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("HEADWAY", "METAFLOW"))
            },
            "PYTHONPATH": SOURCE,
            "HEADWAY_USER": "ann",
        }

    def python(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.path,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_program_that_calls_it_goes_on_with_the_run_or_the_error(folder: Folder) -> None:
    done = folder.python("program.py")
    assert done.returncode == 1, done.stderr
    assert "came back True 18 ['user:ann']" in done.stdout
    assert "caught PipelineFailedError False" in done.stdout
    # Outputs of what failed and is caught are None; those within lists and dicts are found.
    assert "parts {'tables': [[1, 2, 3], [1, 2, 3, 1, 2, 3]," in done.stdout
    assert "extra [None, (None, 7)]" in done.stdout
    assert "before total" in done.stdout
    # A value that no option can give is imported from where it was made, and its class is the same everywhere.
    assert "loads 3" in done.stdout
    assert "Step wrong returned 3 values, where its annotation has 2: output_0, output_1." in done.stderr
    assert "Traceback" not in done.stderr.replace("[wrong/", "")


def test_its_commands_take_up_what_it_was_called_with(folder: Folder) -> None:
    failed = folder.python("program.py", "run", "--times", "1", "--fail", "true")
    assert failed.returncode == 1, failed.stderr
    (folder.path / "steps.py").write_text(STEPS.replace("return x, x, x", "return x, x"))
    resumed = folder.python("program.py", "resume")
    assert resumed.returncode == 0, resumed.stderr
    assert "[load/1] Taken over" in resumed.stdout
    assert "[wrong/4] Task finished successfully." in resumed.stdout
    assert "load_2" not in resumed.stdout
    spun = folder.python("program.py", "spin", "total")
    assert spun.returncode == 0, spun.stderr
    assert "extra [None, (None, 7)]" in spun.stdout


def test_a_module_of_a_package_and_the_runner(folder: Folder) -> None:
    package = folder.path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "main.py").write_text(
        "from headway import pipeline, step\n\n\n@step\ndef twice(x: int) -> int:\n    return 2 * x\n\n\n"
        "@pipeline\ndef doubled(x: int = 2):\n    twice(twice(x))\n\n\nif __name__ == '__main__':\n    doubled()\n"
    )
    done = folder.python("-m", "shop.main", "run", "--x", "5", "--tag", "here")
    assert done.returncode == 0, done.stderr
    read = folder.python(
        "-c",
        "from headway import Flow, Runner\n"
        "run = Flow('doubled').latest_run\n"
        "print(run['twice_2'].task.data.output, run.data.output, sorted(run.user_tags))\n"
        "print([task.pathspec.split('/')[2] for task in run['twice_2'].task.parent_tasks])\n"
        "ran = Runner('shop/main.py').run(x=1)\n"
        "print(ran.status, ran.run['twice_2'].task.data.output)\n",
    )
    lines = read.stdout.splitlines()
    assert lines[:2] == ["20 20 ['here']", "['twice']"], read.stderr
    assert lines[-1] == "successful 4", read.stderr


STUDY = """
from headway import pipeline, step

@step
def load() -> list:
    return [1, 2]

@step
def train(table: list, rate: float) -> float:
    return sum(table) * rate

@step
def best(scores: list) -> float:
    if "broken":
        raise ValueError("not yet")
    return max(scores)

@pipeline
def study():
    table = load()
    best([train(table, rate) for rate in (0.1, 0.5)])

if __name__ == "__main__":
    study()
"""


def test_a_call_that_is_given_something_else_by_now_is_not_taken_over(folder: Folder) -> None:
    program = folder.path / "study.py"
    program.write_text(STUDY)
    assert folder.python("study.py").returncode == 1
    # The number of a call is its place in the body: what was the second is the third now.
    program.write_text(STUDY.replace('if "broken"', 'if ""').replace("(0.1, 0.5)", "(0.1, 0.2, 0.5)"))
    resumed = folder.python("study.py", "resume")
    assert resumed.returncode == 0, resumed.stderr
    assert "[train/2] Taken over" in resumed.stdout
    assert "[train_2/3] Task is starting." in resumed.stdout
    assert "[train_3/4] Task is starting." in resumed.stdout
    read = folder.python(
        "-c",
        "from headway import Flow\nrun = Flow('study').latest_run\n"
        "print([run[name].task.data.output for name in ('train', 'train_2', 'train_3', 'best')])",
    )
    assert "[0.30000000000000004, 0.6000000000000001, 1.5, 1.5]" in read.stdout, read.stderr


def test_a_step_that_calls_a_pipeline_is_told_that_it_cannot(folder: Folder) -> None:
    (folder.path / "within.py").write_text(
        "from headway import pipeline, step\n\n\n@step\ndef inner() -> int:\n    return 1\n\n\n"
        "@pipeline\ndef other():\n    inner()\n\n\n@step\ndef outer():\n    other()\n\n\n"
        "@pipeline\ndef whole():\n    outer()\n\n\nif __name__ == '__main__':\n    whole()\n"
    )
    done = folder.python("within.py")
    assert done.returncode == 1
    assert "Step outer calls pipeline other, and a step starts no runs." in done.stderr


def test_a_program_around_a_pipeline_of_other_modules_may_need_what_tasks_do_not_have(folder: Folder) -> None:
    (folder.path / "shop.py").write_text(
        "from headway import pipeline, step\n\n\n@step\ndef twice(x: object) -> int:\n    return 2 * x.value\n\n\n"
        "@pipeline\ndef doubled(x: object):\n    twice(x)\n"
    )
    program = (
        "import os\nfrom shop import doubled\n\n\nclass Early:\n    value = 4\n\n\n"
        "if 'HEADWAY_IN_TASK' in os.environ:\n    import only_where_it_is_started\n\n\n"
        "class Late:\n    value = 5\n\n\nif __name__ == '__main__':\n"
        "    print('made', doubled(Early())['twice'].task.data.output)\n    doubled(Late())\n"
    )
    (folder.path / "run.py").write_text(program)
    done = folder.python("run.py")
    assert "made 8" in done.stdout, done.stderr
    assert done.returncode == 1
    assert "its type needs the module 'only_where_it_is_started', which is not here" in done.stderr
    # What stands in the main file itself needs all of it.
    (folder.path / "run.py").write_text(
        program.replace("from shop import doubled", (folder.path / "shop.py").read_text())
    )
    whole = folder.python("run.py")
    assert whole.returncode == 1
    assert "No module named 'only_where_it_is_started'" in whole.stderr


def test_a_command_is_for_one_of_the_programs_pipelines(folder: Folder) -> None:
    text = (
        "from headway import pipeline, step\n\n\n@step\ndef ready(n: int) -> int:\n    return n\n\n\n"
        "@step\ndef last(n: int) -> int:\n    return n // BROKEN\n\n\nBROKEN = 0\n\n\n"
        "@pipeline\ndef first(n: int = 1):\n    ready(n)\n\n\n"
        "@pipeline\ndef second(m: int = 2):\n    last(ready(m))\n\n\n"
        "if __name__ == '__main__':\n    first()\n    second(m=8)\n"
    )
    program = folder.path / "both.py"
    program.write_text(text)
    failed = folder.python("both.py")
    assert failed.returncode == 1
    assert "To run the rest: HEADWAY_PIPELINE=second python both.py resume" in failed.stderr
    program.write_text(text.replace("BROKEN = 0", "BROKEN = 2"))
    folder.environ["HEADWAY_PIPELINE"] = "second"
    resumed = folder.python("both.py", "resume")
    assert resumed.returncode == 0, resumed.stderr
    assert "[last/2] Task finished successfully." in resumed.stdout
    assert "of second starts from what run" in resumed.stderr
    assert "first is left out: the command is for second (HEADWAY_PIPELINE)." in resumed.stderr
    assert "of first" not in resumed.stderr
    del folder.environ["HEADWAY_PIPELINE"]
    assert "of first starts" in folder.python("both.py", "run", "--n", "3").stderr


@pytest.mark.parametrize("started", [["told.py"], ["-m", "told"]])
def test_what_stands_behind_the_guard_of_a_program_runs_once(folder: Folder, started: list[str]) -> None:
    (folder.path / "told.py").write_text(
        "import argparse\nfrom headway import pipeline, step\n\n\nclass Rows(list):\n    pass\n\n\n"
        "@step\ndef count(rows: Rows) -> Rows:\n    return Rows([len(rows)])\n\n\n"
        "@pipeline\ndef counting(rows: Rows):\n    count(rows)\n\n\n"
        "if __name__ == '__main__':\n    parser = argparse.ArgumentParser()\n"
        "    parser.add_argument('file')\n    with open(parser.parse_args().file, 'a+') as file:\n"
        "        file.write('seen')\n        file.seek(0)\n"
        "        print('counted', counting(Rows(file.read()))['count'].task.data.output)\n"
        "else:\n    assert __name__ == '__main__', 'what is made here is of the main file'\n"
    )
    done = folder.python(*started, "note.txt")
    assert "counted [4]" in done.stdout, done.stderr
    assert (folder.path / "note.txt").read_text() == "seen"


def test_a_program_without_a_guard_that_ends_in_its_tasks_is_told_of_it(folder: Folder) -> None:
    (folder.path / "plain.py").write_text(
        "import sys\nfrom headway import pipeline, step\n\n\n@step\ndef one() -> int:\n    return 1\n\n\n"
        "@pipeline\ndef alone():\n    one()\n\n\nif len(sys.argv) < 2:\n    sys.exit('give me a word')\nalone()\n"
    )
    done = folder.python("plain.py", "word")
    assert done.returncode == 1
    assert (
        "plain.py ended (sys.exit) before it came to its pipeline, where a task imported it." in done.stderr
    )
    assert 'behind `if __name__ == "__main__":`' in done.stderr
