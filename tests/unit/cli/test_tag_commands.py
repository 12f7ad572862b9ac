"""``tag``: what it changes, what it prints for people and for programs, what it refuses."""

import pytest
from cli_flows import CommandLine
from recorded_runs import RecordedRun

from headway.client import Run
from headway.client.stores import keep_store
from headway.errors import StoreConfigurationError
from headway.launch.index import remember_run
from headway.store.folder import FolderStore
from headway.testing.memory_store import MemoryStore


def given(run: str) -> set[str]:
    return set(Run(f"Digits/{run}", _namespace_check=False).user_tags)


def test_add_remove_and_replace(cli: CommandLine, folder: FolderStore) -> None:
    RecordedRun(folder, "1", tags=("first",))
    answer = cli("tag", "add", "--run-id", "1", "good", "checked")
    assert (answer.code, answer.err) == (0, "The tags of Digits/1 are now:\n")
    assert answer.out == "checked\nfirst\ngood\nruntime:dev  (system)\nuser:ann  (system)\n"
    assert cli("tag", "remove", "first", "never", "--run-id", "1").code == 0
    assert given("1") == {"good", "checked"}
    answer = cli("--quiet", "tag", "replace", "--run-id=1", "--remove=good", "--add=best", "--add", "x")
    assert answer.out == "Digits/1 ; runtime:dev,user:ann ; best,checked,x\n"
    assert given("1") == {"best", "checked", "x"}


def test_list_for_people(cli: CommandLine, folder: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    RecordedRun(folder, "1", tags=("a", "b"))
    RecordedRun(folder, "2", tags=("b",), user="bob")
    system = "runtime:dev  (system)\nuser:ann  (system)\nuser:bob  (system)\n"
    assert cli("tag", "list").out == "a\nb\n" + system
    assert cli("tag", "list", "--all", "--hide-system-tags").out == "a\nb\n"
    assert cli("tag", "list", "--my-runs", "--hide-system-tags", "--group-by-run").out == "Digits/1: a, b\n"
    assert cli("tag", "list", "--group-by-run").out == (
        "Digits/2: b  (system: runtime:dev, user:bob)\nDigits/1: a, b  (system: runtime:dev, user:ann)\n"
    )
    assert cli("tag", "list", "--group-by-tag", "--hide-system-tags").out == (
        "a: Digits/1\nb: Digits/2, Digits/1\n"
    )
    assert cli("tag", "list", "2", "--hide-system-tags").out == "b\n"
    assert cli("tag", "list", "--run-id", "2", "--flat").out == "b\nruntime:dev\nuser:bob\n"
    monkeypatch.setenv("HEADWAY_USER", "carl")
    answer = cli("tag", "list", "--my-runs")
    assert (answer.code, answer.out) == (0, ""), "none of them is carl's"


def test_a_list_goes_on_where_a_datastore_cannot_be_read(cli: CommandLine, folder: FolderStore) -> None:
    RecordedRun(folder, "1", tags=("a",))
    far = MemoryStore("far")
    keep_store(far)
    for number in ("2", "3"):
        remember_run(folder.url, far.url, RecordedRun(far, number, tags=("b",)).record)
    for _ in range(2):
        far.fail_next(StoreConfigurationError("no credentials", "Sign in."))
    answer = cli("tag", "list", "--all", "--hide-system-tags", "--group-by-run")
    assert (answer.code, answer.out) == (0, "Digits/3: b\nDigits/2: b\nDigits/1: a\n")
    assert answer.err.startswith(
        "Warning: run Digits/3 is in memory://far, which cannot be read: no credentials. "
    )
    assert answer.err.count("\n") == 1, "once for the datastore, without a line of code"


def test_list_for_programs(cli: CommandLine, folder: FolderStore) -> None:
    RecordedRun(folder, "1", tags=("a", "b"))
    RecordedRun(folder, "2")
    assert cli("--quiet", "tag", "list").out == "Digits/2,Digits/1 ; runtime:dev,user:ann ; a,b\n"
    assert cli("--quiet", "tag", "list", "--group-by-run", "--hide-system-tags").out == (
        "Digits/2 ;  ; \nDigits/1 ;  ; a,b\n"
    )
    assert cli("--quiet", "tag", "list", "--group-by-tag").out == (
        "user:a ; Digits/1\nuser:b ; Digits/1\nsystem:runtime:dev ; Digits/2,Digits/1\n"
        "system:user:ann ; Digits/2,Digits/1\n"
    )


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("add", "x"), 2, "--run-id RUN has to be given.\n    The latest one is: --run-id 2"),
        (("add", "x", "--run-id", "9"), 1, "Run('Digits/9') does not exist"),
        (("add", "x", "--run-id", "2/start"), 2, "is no run's id"),
        (
            ("add", "x", "--run-id", "1"),
            1,
            "is not in the namespace 'user:ann'\n    --namespace=user:bob shows it, --namespace=\"\" shows everything.",
        ),
        (("add", "--run-id", "2"), 2, "TAG"),
        (("add", "", "--run-id", "2"), 2, "A tag cannot be empty"),
        (("add", "x" * 501, "--run-id", "2"), 2, "500 are allowed"),
        (("add", *map(str, range(51)), "--run-id", "2"), 2, "can have 50 tags, and this would make 51"),
        (("replace", "--run-id", "2", "--remove", "x", "--add", "y" * 501), 2, "500 are allowed"),
        (("remove", "user:ann", "--run-id", "2"), 2, "system tags say how Digits/2 was started"),
        (("replace", "--run-id", "2", "--add", "x"), 2, "at least one --remove TAG and one --add TAG"),
        (("list", "--all", "--my-runs"), 2, "--all and --my-runs cannot be given together"),
        (("list", "1", "--run-id", "2"), 2, "cannot be given together"),
        (("list", "--group-by-tag", "--flat"), 2, "--group-by-tag and --flat cannot be given together"),
        (("list", "--run-id", "9"), 1, "does not exist"),
    ],
)
def test_what_is_refused(
    cli: CommandLine, folder: FolderStore, words: tuple[str, ...], code: int, said: str
) -> None:
    RecordedRun(folder, "1", user="bob")
    RecordedRun(folder, "2")
    answer = cli("tag", *words)
    assert (answer.code, answer.out) == (code, ""), answer.err
    assert said in answer.err


def test_another_namespace_or_none_reaches_the_runs_of_others(cli: CommandLine, folder: FolderStore) -> None:
    RecordedRun(folder, "1", user="bob")
    assert cli("tag", "add", "x", "--run-id", "1", "--namespace", "user:bob").code == 0
    assert cli("tag", "add", "y", "--run-id", "1", "--namespace", "").code == 0
    assert given("1") == {"x", "y"}


def test_no_run_of_the_user_at_all_says_which_option_finds_one(cli: CommandLine, folder: FolderStore) -> None:
    RecordedRun(folder, "1", user="bob")
    answer = cli("tag", "add", "x")
    assert answer.code == 1
    assert '--namespace="" shows everything.' in answer.err
    assert "namespace(" not in answer.err


def test_a_flow_that_never_ran_has_no_tags(cli: CommandLine, folder: FolderStore) -> None:
    answer = cli("tag", "list")
    assert (answer.code, answer.out) == (1, "")
    assert "Digits has no tags: it has never run." in answer.err


def test_run_refuses_a_tag_that_cannot_be_one(cli: CommandLine, folder: FolderStore) -> None:
    too_many = [word for number in range(51) for word in ("--tag", str(number))]
    for words, said in ((["--tag", ""], "A tag cannot be empty"), (too_many, "can have 50 tags")):
        answer = cli("run", "--label", "x", *words)
        assert answer.code == 2
        assert said in answer.err
    assert not list(folder.list(""))
