"""What a task reads that is done again alone: the earlier run's artifacts, and what is given in their place."""

from pathlib import Path

import pytest

from headway.errors import UsageError
from headway.runtime.commit import commit
from headway.runtime.spun import replacements, sources_elsewhere
from headway.store.artifacts import ArtifactStore
from headway.store.batch import Batch, Code, Spun
from headway.store.folder import FolderStore
from headway.store.records import SUCCEEDED, AttemptRef, Record

FLOW, REFS = "Parts", (AttemptRef("work", "2", 0), AttemptRef("work", "3", 0))


def batch(folder: Path, artifacts: str = "", *, join: bool = False) -> tuple[Batch, Spun, FolderStore]:
    origin, mine = FolderStore(str(folder / "origin")), FolderStore(str(folder / "mine"))
    for ref in REFS:
        made = ArtifactStore(origin, FLOW).save_many({"word": "plain", "task": ref.task})
        commit(origin, FLOW, "7", Record(ref, SUCCEEDED, artifacts=made))
    file = folder / "values.py"
    file.write_text(artifacts)
    spun = Spun(origin.url, "7", "4", artifacts=str(file) if artifacts else "")
    code = Code("path", "flow.py", ("__main__", FLOW))
    inputs = REFS if join else REFS[:1]
    return Batch(FLOW, "8", "next", "next-1", code, (), inputs=inputs, join=join, spun=spun), spun, mine


def test_the_earlier_run_is_read(tmp_path: Path) -> None:
    made, spun, mine = batch(tmp_path)
    assert Batch.decode(made.encode()) == made
    (source,) = sources_elsewhere(made, spun, mine)(made.inputs)
    assert (source.load("word"), source.load("task")) == ("plain", "2")
    assert list(mine.list("")) == []


def test_values_take_the_place_of_others_or_are_new(tmp_path: Path) -> None:
    made, spun, mine = batch(tmp_path, "ARTIFACTS = {'word': 'other', 'more': [1]}")
    (source,) = sources_elsewhere(made, spun, mine)(made.inputs)
    assert (source.load("word"), source.load("task"), source.load("more")) == ("other", "2", [1])
    assert set(source.names()) == {"word", "task", "more"}
    stored = source.ref("word")
    assert stored is not None
    assert ArtifactStore(mine, FLOW).load("word", stored) == "other"


def test_the_inputs_of_a_join_have_values_each(tmp_path: Path) -> None:
    values = "ARTIFACTS = {'7/work/2': {'word': 'two'}, 'work/3': {'word': 'three'}, 'word': 'none'}"
    made, spun, mine = batch(tmp_path, values, join=True)
    sources = sources_elsewhere(made, spun, mine)(made.inputs)
    assert [source.load("word") for source in sources] == ["two", "three"]
    assert [source.load("task") for source in sources] == ["2", "3"]


@pytest.mark.parametrize(
    ("text", "words"),
    [("ARTIFACTS = 3", "has no dict"), ("x = 1", "has no dict"), ("1 / 0", "ZeroDivisionError")],
)
def test_a_file_that_gives_no_values(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "values.py").write_text(text)
    with pytest.raises(UsageError, match=words):
        replacements(str(tmp_path / "values.py"))
