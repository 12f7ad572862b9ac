"""``python flow.py run`` as a person types it, with steps on this machine: output, exit codes, what stays behind."""

import re
from pathlib import Path

import pytest
from flow_machine import SOURCE, Machine

from headway.store import layout
from headway.store.records import AttemptRef
from headway.store.run_records import RunRecord


def test_a_run(machine: Machine) -> None:
    machine.write(body='print("item", self.input)')
    done = machine.run("flow.py", "run", "--alpha", "2", "--tag", "blue", "--run-id-file", "id.txt")
    assert done.returncode == 0, done.stderr
    (run,) = machine.runs
    assert (machine.folder / "id.txt").read_text() == run
    assert f"Run {run} of Sample starts, for user ann." in done.stderr
    assert re.search(rf"Run {run} succeeded in [\d.]+ seconds\.", done.stderr)
    lines = done.stdout.splitlines()
    assert lines[:2] == ["[start/1] Task is starting.", "[start/1] Task finished successfully."]
    assert sorted(line for line in lines if "item" in line) == [f"[work/{n + 1}] item {n}" for n in (1, 2, 3)]
    assert lines[-2:] == ["[end/6] total 12.0", "[end/6] Task finished successfully."]
    record = RunRecord.decode(machine.store.get(layout.run_record("Sample", run)))
    assert (record.user, record.tags, record.parameters) == ("ann", ("blue",), {"alpha": "2"})
    end = machine.end()
    assert (end.outcome, end.end) == ("succeeded", AttemptRef("end", "6", 0))
    assert machine.value(AttemptRef("join", "5", 0), "total") == 12.0


@pytest.mark.parametrize(
    "tail", ["Sample()", "if __name__ == '__main__':\n    Sample()"], ids=["bare", "guard"]
)
@pytest.mark.parametrize("how", ["file", "elsewhere", "module", "package", "text"])
def test_however_it_is_started(machine: Machine, how: str, tail: str) -> None:
    names = {
        "file": "flow.py",
        "elsewhere": "inner/flow.py",
        "module": "pkg/flow.py",
        "package": "pkg/__main__.py",
    }
    name = names.get(how, "flow.py")
    machine.write(name, tail=tail)
    if name.startswith("pkg/"):
        (machine.folder / "pkg" / "__init__.py").touch()
    text = (machine.folder / name).read_text()
    words = {"module": ["-m", "pkg.flow"], "package": ["-m", "pkg"], "text": ["-c", text]}.get(how, [name])
    if how == "text":
        (machine.folder / name).unlink()
    done = machine.run(*words, "run")
    assert done.returncode == 0, done.stderr
    assert machine.end().outcome == "succeeded"


def test_a_failure(machine: Machine) -> None:
    machine.write(body='if self.input == 2: raise ValueError("no good")')
    done = machine.run("flow.py", "run", "--max-workers", "1")
    assert done.returncode == 1
    assert "[work/3] Task failed: ValueError: no good" in done.stderr
    assert re.search(r"^Run \d+ failed: work/3 failed: ValueError: no good", done.stderr, re.MULTILINE)
    assert "[work/3] Traceback (most recent call last):" in done.stderr
    assert SOURCE not in done.stderr
    assert machine.end().outcome == "failed"


@pytest.mark.budget(20)
def test_quietly(machine: Machine) -> None:
    """Only what tasks print, and why something failed."""
    machine.write(body='if self.alpha > 1: raise ValueError("no good")\n        print("working")')
    done = machine.run("flow.py", "--quiet", "run")
    assert done.returncode == 0
    assert sorted(done.stdout.splitlines()) == [
        "[end/6] total 3.0", "[work/2] working", "[work/3] working", "[work/4] working",
    ]  # fmt: skip
    assert done.stderr == ""
    done = machine.run("flow.py", "--quiet", "run", "--alpha", "2", "--max-workers", "1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("[work/2] Traceback (most recent call last):\n")
    assert "\n[work/2] Task failed: ValueError: no good\n" in done.stderr
    flow = machine.folder / "flow.py"
    flow.write_text(flow.read_text().replace("> 1", "> 2"))
    done = machine.run("flow.py", "--quiet", "resume")
    assert (done.returncode, done.stderr) == (0, "")
    assert min(done.stdout.splitlines()) == "[end/6] total 12.0"
    assert len(done.stdout.splitlines()) == 4


def test_retries(machine: Machine) -> None:
    machine.write(
        decorators="@retry(times=2)", body='if current.retry_count < 2: raise ValueError("not yet")'
    )
    done = machine.run("flow.py", "run")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("It is tried again now (counted as one of the step's @retry times).") == 6
    assert done.stdout.count("Foreach yields 3 tasks.") == 1
    assert machine.end().winners["work/2"] == 2


def test_caught_steps_go_on_whatever_became_of_them(machine: Machine) -> None:
    machine.write(
        decorators="@catch(var='failed')\n    @retry(times=1)",
        body="""
        if self.input == 1: raise ValueError("no good")
        if self.input == 2: os.kill(os.getpid(), signal.SIGKILL)
        """,
    )
    flow = machine.folder / "flow.py"
    flow.write_text(
        flow.read_text().replace(
            "sum(each.result for each in inputs)",
            "[each.failed and each.failed.exception for each in inputs]",
        )
    )
    done = machine.run("flow.py", "run")
    assert done.returncode == 0, done.stderr
    words = "Step work failed for good after 2 attempts: The process of step work was killed (SIGKILL)."
    assert f"total ['no good', {words!r}, None]" in done.stdout
    assert "[work/3] Task fallback is starting to handle the failure." in done.stdout
    assert "[work/2] Task fallback" not in done.stdout
    assert "[work/3] @catch takes over: the run goes on." in done.stderr
    assert "[work/2] @catch of step work goes on after:" in done.stderr
    assert machine.end().winners == {
        "start/1": 0, "work/2": 1, "work/3": 2, "work/4": 0, "join/5": 0, "end/6": 0,
    }  # fmt: skip


def test_timeout_and_environment(machine: Machine) -> None:
    machine.write(
        decorators='@environment(vars={"COLOUR": "blue"})\n    @timeout(seconds=1)',
        body="print(os.environ['COLOUR']); time.sleep(60 * (self.input == 3))",
    )
    done = machine.run("flow.py", "run")
    assert done.returncode == 1
    assert done.stdout.count("] blue") == 3
    assert "Step work timed out after 1 second." in done.stderr


def test_siblings_draw_different_numbers(machine: Machine) -> None:
    machine.write(head="random.random()", body="print('drew', random.random())")
    out = machine.run("flow.py", "run").stdout
    assert len(set(re.findall(r"drew (\S+)", out))) == 3


def test_what_the_import_prints_is_printed_once(machine: Machine) -> None:
    machine.write(head="print('imported')")
    done = machine.run("flow.py", "run")
    assert (done.stdout + done.stderr).count("imported") == 1


@pytest.mark.parametrize(
    ("constant", "said"),
    [("lock = threading.Lock()", "lock"), ("opened = open(os.devnull)", "opened")],
)
def test_a_constant_that_cannot_be_stored_leaves_no_run(machine: Machine, constant: str, said: str) -> None:
    machine.write(constant=constant)
    done = machine.run("flow.py", "run")
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert machine.runs == []


def test_an_id_file_that_cannot_be_written_is_told_and_the_run_is_ended(machine: Machine) -> None:
    machine.write()
    done = machine.run("flow.py", "run", "--run-id-file", "no/such/folder/id")
    assert done.returncode == 2
    assert "--run-id-file=no/such/folder/id cannot be written: No such file or directory." in done.stderr
    assert machine.end().outcome == "failed"


def test_a_folder_for_data_that_cannot_be_written(machine: Machine) -> None:
    machine.write()
    (machine.folder / "data").write_text("in the way")
    done = machine.run("flow.py", "run")
    assert done.returncode == 2
    assert "data is no folder" in done.stderr
    assert "--datastore-root=/path" in done.stderr
    assert done.stderr.count("\n") < 8
    assert "Traceback" not in done.stderr
    (machine.folder / "data").unlink()


def test_a_class_that_only_exists_under_the_guard(machine: Machine) -> None:
    machine.write()
    text = (machine.folder / "flow.py").read_text()
    head, _, body = text.partition("class Sample")
    body = body.partition("if __name__")[0]
    indented = ("class Sample" + body).replace("\n", "\n    ")
    (machine.folder / "flow.py").write_text(
        f"{head}\nif __name__ == '__main__':\n    {indented}\n    Sample()\n"
    )
    done = machine.run("flow.py", "run")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "tail", ["Sample()", "if __name__ == '__main__':\n    Sample()"], ids=["bare", "guard"]
)
@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_a_step_may_start_processes_of_its_own(machine: Machine, method: str, tail: str) -> None:
    body = (
        f"import multiprocessing; context = multiprocessing.get_context('{method}')\n"
        "        with context.Pool(1) as pool: print('got', pool.map(abs, [-7]))"
    )
    machine.write(body=body, tail=tail)
    done = machine.run("flow.py", "run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("got [7]") == 3
    assert "is valid" not in done.stdout


@pytest.mark.parametrize("name", ["click", "queue", "token"])
def test_a_file_of_the_persons_that_hides_a_module_is_named(machine: Machine, name: str) -> None:
    machine.write()
    (machine.folder / f"{name}.py").write_text("mine = 1\n")
    done = machine.run("flow.py", "run")
    assert f"{name}.py hides the module {name} that Headway needs" in done.stderr
    assert "Rename it." in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_an_answer_that_cannot_be_written_is_no_success(machine: Machine) -> None:
    machine.write()

    def into_the_full(*words: str) -> tuple[int, str]:
        with Path("/dev/full").open("w") as full:
            process = machine.begin("flow.py", *words, stdout=full)
            _, said = process.communicate(timeout=150)
        return process.returncode, said

    code, said = into_the_full("run")
    (run,) = machine.runs
    assert code == 0, "what the run did is done"
    assert said.count("Standard output cannot be written") == 1
    assert f"Run {run} succeeded" in said
    asked = (
        ["show"], ["--help"], ["version"], ["run", "--help"], ["--quiet", "dump", f"{run}/end"],
        ["logs", f"{run}/end"], ["output-dot"], ["check"], ["tag", "list", "--run-id", run], ["config", "show"],
    )  # fmt: skip
    for words in asked:
        code, said = into_the_full(*words)
        assert code == 1, words
        lines = [line for line in said.splitlines() if "cannot be written" in line]
        assert len(lines) == 1, said
        assert "No space left on device" in lines[0], words


def test_an_error_of_the_client_that_nobody_catches_ends_with_all_that_it_says(machine: Machine) -> None:
    (machine.folder / "script.py").write_text("from headway import Run\n\nprint(Run('Sample/1').data)\n")
    done = machine.run("script.py")
    assert (done.returncode, done.stdout) == (1, "")
    trace, _, said = done.stderr.partition("headway.errors.NotFoundError: ")
    assert 'script.py", line 3, in <module>' in trace
    assert trace.count("Traceback (most recent call last)") == 1
    message, hint = said.splitlines()
    assert "Run('Sample/1') does not exist" in message
    assert hint


@pytest.mark.parametrize("decorators", ["", "@environment(vars={'A': 'b'})"], ids=["forked", "afresh"])
def test_local_tasks_read_the_configuration_that_was_named(machine: Machine, decorators: str) -> None:
    (machine.folder / ".headway").mkdir()
    named = machine.folder / ".headway" / "config_prod.json"
    named.write_text('{"HEADWAY_TEMPDIR": "/of/prod"}')
    machine.write(decorators=decorators, body='print("temporary files in", current.tempdir)')
    done = machine.run("flow.py", "--config-name", "prod", "run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("temporary files in /of/prod") == 3


@pytest.mark.parametrize(("said", "different"), [("auto", 1), ("never", 3)])
def test_what_a_module_works_out_is_each_tasks_own_where_nothing_is_forked(
    machine: Machine, said: str, different: int
) -> None:
    machine.environ["HEADWAY_FORK_TASKS"] = said
    machine.write(head="import uuid\nID = uuid.uuid4().hex", body='print("id", ID)')
    done = machine.run("flow.py", "run")
    assert done.returncode == 0, done.stderr
    found = [line.rpartition(" ")[2] for line in done.stdout.splitlines() if "] id " in line]
    assert (len(found), len(set(found))) == (3, different)
