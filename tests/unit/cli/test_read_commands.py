"""``logs`` and ``dump`` over runs in a datastore."""

import pickle
from pathlib import Path

import pytest
from cli_flows import CommandLine
from recorded_runs import BEGUN, BOOM, RecordedRun, digits

from headway.client import Task
from headway.store import layout
from headway.store.folder import FolderStore
from headway.store.logs import (
    END,
    NOTE,
    Section,
    decode_chunk,
    decode_note,
    encode_chunk,
    encode_line,
    encode_note,
    feed_key,
)
from headway.store.records import AttemptRef


def put_log(store: FolderStore, task: str, stream: str, *lines: tuple[float, str]) -> None:
    stored = b"".join(encode_line(text.encode(), int((BEGUN + after) * 1000)) for after, text in lines)
    store.put(layout.log("Digits", "1", "train", task, 0, stream), stored)


def test_the_log_of_one_task_as_it_was_and_of_several_with_their_names(
    cli: CommandLine, folder: FolderStore
) -> None:
    digits(folder)
    assert cli("logs", "1/train/3").out == "model 1\ndone\n"
    assert cli("logs", "show", "Digits/1/train/3").out == "model 1\ndone\n"
    answer = cli("logs", "1/train")
    assert answer.out == "".join(f"[train/{n + 2}] model {n}\n[train/{n + 2}] done\n" for n in range(3))
    assert (answer.code, answer.err) == (0, "")
    assert cli("--quiet", "logs", "1/train").out == "".join(f"model {n}\ndone\n" for n in range(3))


def test_both_streams_by_time_or_one_alone(cli: CommandLine, folder: FolderStore) -> None:
    digits(folder)
    put_log(folder, "3", "stdout", (0, "one"), (2, "three"))
    put_log(folder, "3", "stderr", (1.25, "two"))
    answer = cli("logs", "1/train/3", "--timestamps")
    assert answer.out == (
        "2027-01-15T08:00:00.000Z one\n2027-01-15T08:00:01.250Z two\n2027-01-15T08:00:02.000Z three\n"
    )
    assert answer.err == ""
    alone = cli("logs", "--stderr", "1/train/3")
    assert (alone.out, alone.err) == ("two\n", "")
    assert cli("logs", "1/train/3", "--stdout", "--no-timestamps").out == "one\nthree\n"
    assert cli("logs", "1/train/3", "--no-both").code == 2


def test_a_failed_attempt_says_why(cli: CommandLine, folder: FolderStore) -> None:
    digits(folder)
    answer = cli("logs", "1/train/2", "--attempt", "0")
    assert answer.code == 0
    assert "[train/2] Task failed: ValueError: boom\n" in answer.err
    assert answer.err.count("Traceback") == 1, "the log has none, so the record's is shown"


def test_a_run_that_is_not_there_is_told_with_those_that_are(cli: CommandLine, folder: FolderStore) -> None:
    digits(folder)
    for command in (("logs", "7"), ("dump", "7"), ("tag", "add", "--run-id", "7", "good")):
        answer = cli(*command)
        assert answer.code == 1
        assert "The newest runs of Digits: 1.\n" in answer.err
        assert "--datastore-root=s3://bucket/prefix looks elsewhere" in answer.err


def test_what_is_not_there_to_dump_is_told(cli: CommandLine, folder: FolderStore) -> None:
    digits(folder)
    assert "No artifact is called nothing.\n" in cli("dump", "1/train/3", "--include", "nothing").err


def test_scrubbing_takes_the_text_out_of_the_datastore(cli: CommandLine, folder: FolderStore) -> None:
    recorded = digits(folder)
    put_log(folder, "3", "stderr", (0, "token=abc"))
    recorded.report(Task("Digits/1/train/3")._task.ref(), 0, "token=abc", "stderr")
    answer = cli("logs", "scrub", "1/train/3", "--stderr")
    assert (answer.code, answer.err) == (0, "stderr of 1 attempt is gone; reasons of failures stay.\n")
    assert cli("logs", "1/train/3", "--stderr").out == "[scrubbed]\n"
    assert cli("logs", "1/train/3", "--stdout").out == "model 1\ndone\n"
    assert not [key for key, _ in folder.list("") if b"token" in folder.get(key)]
    assert cli("logs", "scrub", "1/train").code == 0
    assert cli("logs", "1/train/4").out == "[scrubbed]\n" * 2


def test_scrubbing_finds_what_pods_reported_last_and_what_warm_pods_did(
    cli: CommandLine, folder: FolderStore
) -> None:
    digits(folder)
    put_log(folder, "3", "stderr", (0, "token=abc"))
    ref = Task("Digits/1/train/3")._task.ref()
    told, other = encode_line(b"token=abc", 1), encode_line(b"of no matter", 1)
    pod = AttemptRef("_pod", "one", 0)
    folder.put(feed_key("Digits", "1", 1, ref, 1, END), encode_chunk({"stdout": other, "stderr": told}))
    sections = [
        Section(ref, {"stderr": told}, b"{}", begun=True),
        Section(ref._replace(task="4"), {"stderr": other}),
    ]
    folder.put(feed_key("Digits", "1", 1, pod, 0, NOTE), encode_note(sections))
    assert cli("logs", "scrub", "1/train/3", "--stderr").code == 0
    assert not [key for key, _ in folder.list("") if b"token" in folder.get(key)]
    assert decode_chunk(folder.get(feed_key("Digits", "1", 1, ref, 1, END))) == {"stdout": other}
    left = decode_note(folder.get(feed_key("Digits", "1", 1, pod, 0, NOTE)))
    assert left == [sections[0]._replace(lines={}), sections[1]], "who listens yet hears all else"


def test_what_has_not_ended_is_scrubbed_only_where_that_is_said(
    cli: CommandLine, folder: FolderStore
) -> None:
    recorded = RecordedRun(folder)
    ref = recorded.running("train", "2")
    recorded.report(ref, 0, "token=abc")
    answer = cli("logs", "scrub", "1/train/2")
    assert answer.code == 1
    assert "It has not ended" in answer.err
    assert cli("logs", "1/train/2").out == "token=abc\n"
    assert cli("logs", "scrub", "1/train/2", "--include-not-done").code == 0
    assert cli("logs", "1/train/2").out == "[scrubbed]\n" * 2


def test_scrubbing_all_attempts_or_one(cli: CommandLine, folder: FolderStore) -> None:
    recorded = RecordedRun(folder)
    for attempt in range(3):
        recorded.attempt("train", "2", attempt, failure=BOOM, stdout=[f"try {attempt}"])
    recorded.end()
    assert cli("logs", "scrub", "1/train/2", "--attempt", "0").code == 0
    assert cli("logs", "1/train/2", "--attempt", "0").out == "[scrubbed]\n" * 2
    assert cli("logs", "1/train/2", "--attempt", "1").out == "try 1\n"
    latest = cli("logs", "scrub", "1/train/2", "--latest", "--stdout")
    assert latest.err == "stdout of 1 attempt is gone; reasons of failures stay.\n"
    assert cli("logs", "1/train/2").out == "[scrubbed]\n"
    assert cli("logs", "1/train/2", "--attempt", "1").out == "try 1\n"
    every = cli("logs", "scrub", "1/train/2", "--all")
    assert "3 attempts" in every.err, every.err
    assert cli("logs", "1/train/2", "--attempt", "1").out == "[scrubbed]\n" * 2
    assert cli("logs", "scrub", "1/train/2", "--all", "--attempt", "1").code == 2


def test_dump_prints_each_artifact_with_its_size_and_type(cli: CommandLine, folder: FolderStore) -> None:
    digits(folder)
    answer = cli("dump", "1/train/3")
    assert answer.err == "Artifacts of run=1 step=train task=3:\n"
    names = [line.split()[0] for line in answer.out.splitlines()]
    assert names == ["alpha", "name", "score"]
    assert answer.out.splitlines()[1].endswith("type: <class 'str'>] = Digits")
    assert answer.out.splitlines()[2].endswith(" type: <class 'int'>] = 10")
    private = {line.split()[0]: line for line in cli("dump", "1/train/3", "--private").out.splitlines()}
    assert list(private) == sorted(private), "in one order"
    assert {"_seed", "_foreach_stack", "_transition", "_graph_info", *names} <= set(private)
    assert private["_task_ok"].endswith("type: <class 'bool'>] = True")
    assert cli("dump", "1/train/3", "--no-private").out == answer.out
    assert cli("dump", "1/train/3", "--include", "name").out.endswith("type: <class 'str'>] = Digits\n")
    asked = ("dump", "1/train/3", "--include", "_current_step,score")
    assert [line.split()[0] for line in cli(*asked, "--private").out.splitlines()] == [
        "_current_step",
        "score",
    ]
    assert "No artifact is called _current_step.\n" in cli(*asked).err
    quiet = cli("--quiet", "dump", "1/train/3")
    assert (quiet.out, quiet.err) == (answer.out, "")
    assert cli("dump", "1/train/3", "--include", "score, nope").out.startswith("score [size: ")
    assert "= (too large to show)" in cli("dump", "1/train/3", "--max-value-size", "1").out
    assert len(cli("dump", "1/train").out.splitlines()) == 9


def test_dump_to_a_file(cli: CommandLine, folder: FolderStore, tmp_path: Path) -> None:
    digits(folder)
    file = tmp_path / "values.pickle"
    answer = cli("dump", "1/train/3", "--file", str(file))
    assert (answer.code, answer.out) == (0, "")
    assert pickle.loads(file.read_bytes()) == {"1/train/3": {"alpha": 0.5, "name": "Digits", "score": 10}}
    answer = cli("dump", "1/train/3", "--file", str(tmp_path / "nowhere" / "x"))
    assert answer.code == 2
    assert "cannot be written" in answer.err


def test_dump_goes_on_where_a_value_cannot_be_loaded(cli: CommandLine, folder: FolderStore) -> None:
    digits(folder)
    folder.delete([layout.blob("Digits", Task("Digits/1/train/3")["score"].sha)])
    answer = cli("dump", "1/train/3")
    assert answer.code == 0
    assert "= (cannot be loaded here: the content of artifact score is no longer in" in answer.out
    assert "alpha [" in answer.out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("logs", "9"), 1, "does not exist"),
        (("logs", "1/train/3/score"), 2, "Expects a path like RUN, RUN/STEP or RUN/STEP/TASK"),
        (("logs", "1/trian"), 1, "Did you mean train?"),
        (("dump",), 2, "Missing argument"),
        (("dump", "1", "2"), 2, "unexpected extra argument"),
        (("logs", "1", "--datastore=s3"), 2, "no root is configured"),
    ],
)
def test_what_is_not_there(
    cli: CommandLine, folder: FolderStore, words: tuple[str, ...], code: int, said: str
) -> None:
    digits(folder)
    answer = cli(*words)
    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err


def test_runs_of_the_datastore_that_is_named(cli: CommandLine, tmp_path: Path) -> None:
    digits(FolderStore(str(tmp_path / "elsewhere")))
    assert cli("logs", "1/train/3").code == 1
    assert cli("logs", "1/train/3", "--datastore-root", str(tmp_path / "elsewhere")).out == "model 1\ndone\n"


def test_dump_of_a_task_that_stored_nothing_says_so(cli: CommandLine, folder: FolderStore) -> None:
    recorded = RecordedRun(folder)
    recorded.attempt("train", "2")
    recorded.attempt("train", "3", failure=BOOM)
    recorded.running("train", "4")
    said = cli("dump", "1/train").err
    for task, what in {
        "2": "none of its own",
        "3": "none of its own, it failed",
        "4": "none of its own yet",
    }.items():
        assert f"step=train task={task}: {what}\n" in said
