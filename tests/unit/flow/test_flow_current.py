"""``current``: its values within a task, and its words outside."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.flow import cards
from headway.flow.current import Current, Parallel, current


@pytest.fixture
def running() -> Iterator[Current]:
    it = Current()
    it._begin(
        lazy={"run": lambda: ["a run"]},
        flow_name="F",
        run_id="7",
        step_name="train",
        task_id="3",
        retry_count=0,
        origin_run_id=None,
        tags=("a",),
    )
    yield it
    it._end()


def test_values(running: Current) -> None:
    assert (running.flow_name, running.run_id, running.retry_count) == ("F", "7", 0)
    assert running.pathspec == "F/7/train/3"
    assert running.is_running_flow
    assert "run_id" in running
    assert "pathspec" in running
    assert running.get("run_id", "x") == "7"
    assert running.get("origin_run_id", "x") is None
    assert "origin_run_id" not in running, "it has no value"
    assert running.get("nothing") is None
    assert running.get("nothing", 5) == 5
    assert repr(running) == "<current F/7/train/3>"


def test_lazy_values_are_made_once(running: Current) -> None:
    assert "run" in running
    assert "run" in running._lazy, "nothing is made to answer this"
    assert running.run is running.run


def test_decorators_add(running: Current) -> None:
    assert running.get("is_parallel") is False
    assert "parallel" not in running
    assert "is_parallel" not in running
    running._extend(parallel=Parallel("10.0.0.1", 4, 1, "3"))
    assert running.get("is_parallel") is True
    assert "is_parallel" in running
    assert running.parallel.node_index == 1


def test_unknown_names(running: Current) -> None:
    with pytest.raises(
        AttributeError, match=r"current has no 'run_ids' in this step\. Did you mean current\.run_id"
    ):
        running.run_ids  # noqa: B018
    with pytest.raises(AttributeError, match=r"Nothing triggered this run.*--trigger=FLOW/RUN names the run"):
        running.trigger  # noqa: B018


def test_outside_of_a_task(running: Current) -> None:
    running._end()
    assert not running.is_running_flow
    assert not running.is_parallel
    asked = (
        "flow_name",
        "run_id",
        "step_name",
        "task_id",
        "retry_count",
        "origin_run_id",
        "pathspec",
        "namespace",
    )
    for name in (*asked, "username", "tags", "run", "task"):
        assert getattr(running, name) is None
        assert name not in running
        assert running.get(name, "else") is None
    assert repr(running) == "<current: no running step>"
    assert "parallel" not in running
    assert running.get("project_name", "none") == "none"
    with pytest.raises(AttributeError, match=r"current\.project_name is known only within a running step"):
        running.project_name  # noqa: B018


def test_the_folder_for_temporary_files_is_the_configured_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("HEADWAY_TEMPDIR", "METAFLOW_TEMPDIR"):
        monkeypatch.delenv(name, raising=False)
    assert Current().tempdir == "."
    config = tmp_path / ".headway" / "config.json"
    config.parent.mkdir()
    config.write_text(json.dumps({"METAFLOW_TEMPDIR": "/from/a/file"}))
    assert Current().tempdir == "/from/a/file"
    assert "tempdir" in Current()
    monkeypatch.setenv("METAFLOW_TEMPDIR", "/from/a/variable")
    assert Current().get("tempdir") == "/from/a/variable"


def test_the_one_that_flows_import() -> None:
    assert isinstance(current, Current)
    assert not current.is_running_flow


@pytest.mark.parametrize("text", ["current.card.append(1)", "import pages\n\npages.fill()"])
def test_a_card_is_told_of_by_the_task_where_the_launcher_cannot_have_seen_it(
    running: Current,
    text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    flow = tmp_path / "flow.py"
    flow.write_text(text)
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(flow), raising=False)
    monkeypatch.setattr(cards, "_said", False)
    for _ in range(2):
        running.card.append("x")
        running.card.extend(["x", "y"])
        running.card["a"].refresh()
        running.card.clear()
        running.card["a"] = "x"
        assert running.card.components is not None
        assert running.card
        assert list(running.card.get(type="html")) == []
        assert len(running.card) == 0
        del running._values["card"]
    assert capsys.readouterr().err == ("" if "current.card" in text else f"{cards.NO_CARDS}\n")
    assert not cards.get_cards("F/7/train/3")
