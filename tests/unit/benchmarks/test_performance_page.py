"""The page of figures says what the files of raw figures say, and has a row for all that was asked for."""

from typing import Any

import pytest
from goals import ASKED, Goal
from page import FIGURES, PAGE, PICTURE, PageError, gathered, named, rewritten
from picture import svg
from report import Line, read

EMPTY = "<!-- figures -->\n<!-- end of figures -->\n<!-- timeline -->\n<!-- end of timeline -->\n"


def content(commit: str = "abc1234", diff: str = "", **figures: list[float]) -> dict[str, Any]:
    """A file with one work, whose rows' targets are at most 2."""
    targets = [
        {"row": row, "target": "≤ 2 s", "unit": "s", "figures": values} for row, values in figures.items()
    ]
    return {
        "when": "2026-11-23T10:00:00+0000",
        "saved": "2026-11-23T11:00:00+0000",
        "commit": commit,
        "diff": diff,
        "machine": {"cpus": 2, "system": "Linux", "python": "3.11.7"},
        "against": {"metaflow": "2.19.0"},
        "works": {
            "some work": {
                "note": "no warm-up",
                "lacks": "",
                "failures": ["it broke\nfor a reason"],
                "begins": [{"headway": {"busy": 0.1}, "floor": {"busy": 0.5}}],
                "targets": targets,
            }
        },
    }


def cells_of(text: str, row: str) -> list[str]:
    """The cells of a row of the table of figures, which unlike that of phases has verdicts."""
    rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines())
    (found,) = (cells for cells in rows if cells[0] == row and len(cells) >= 6)
    return found


def test_the_page_is_what_its_raw_figures_say() -> None:
    text = PAGE.read_text()
    names, history = named(text)
    files = {name: read(FIGURES / name) for name in names}
    told = "benchmarks/figures and docs/performance.md differ: python3 dev.py bench page FILE…"
    assert rewritten(text, files, history) == text, told
    shown = [line for line in gathered(files, history) if line.figures and line.goal.limit]
    assert svg(shown) == PICTURE.read_text(), told


@pytest.mark.parametrize("goal", ASKED, ids=lambda goal: goal.row)
def test_what_was_asked_for_has_its_row(goal: Any) -> None:
    assert cells_of(PAGE.read_text(), goal.row)[:2] == [goal.row, goal.words]


def test_a_cell_that_was_changed_by_hand_is_found() -> None:
    text = rewritten(EMPTY, {"a.json": content(fast=[1.0, 1.5, 3.0])})
    wrong = text.replace("1.5 (1 to 3)", "1.4 (1 to 3)")
    assert wrong != text
    assert rewritten(wrong, {"a.json": content(fast=[1.0, 1.5, 3.0])}) == text


def test_a_row_names_target_median_range_rounds_and_those_that_failed() -> None:
    text = rewritten(EMPTY, {"a.json": content(fast=[1.0, 1.5, 3.0])})
    assert cells_of(text, "fast") == [
        "fast", "≤ 2 s", "1.5 (1 to 3) s", "3, 1 failed", "met, not in every round", "no warm-up",
    ]  # fmt: skip
    assert cells_of(text, ASKED[0].row)[2:5] == ["not measured", "0", "not measured"]


@pytest.mark.parametrize(
    ("goal", "figures", "verdict"),
    [
        (Goal("times another", 1.0), [0.8, 0.9, 1.1], "met, a tie: rounds on both sides"),
        (Goal("times another", 1.0), [0.9, 1.1, 1.2], "**missed** by 10%, a tie: rounds on both sides"),
        (Goal("times another", 1.0), [0.8, 0.9, 1.0], "met"),
        (Goal("seconds", 1.0, unit="s"), [0.8, 0.9, 1.1], "met, not in every round"),
        (Goal("seconds", 1.0, unit="s"), [0.9, 1.1, 1.2], "**missed** by 10%, though not in every round"),
        (Goal("times another", 4.0, at_least=True), [3.0, 5.0, 6.0], "met, not in every round"),
    ],
    ids=lambda value: getattr(value, "row", None),
)
def test_only_what_is_as_quick_as_another_is_a_tie(goal: Goal, figures: list[float], verdict: str) -> None:
    assert Line(goal, figures).verdict == verdict


def test_the_note_tells_commit_time_machine_and_how_quiet_it_was() -> None:
    text = rewritten(EMPTY, {"a.json": content(diff="0123", fast=[1.0])})
    for words in (
        "commit `abc1234 with the changes 0123`", "begun 2026-11-23 10:00 +0000", "2 cores", "metaflow 2.19.0",
        "1 of 2 began although more than 25% were",
    ):  # fmt: skip
        assert words in text


def test_a_run_that_was_cut_is_joined_with_what_went_on() -> None:
    files = {"a.json": content(fast=[1.0, 1.2]), "b.json": content(fast=[1.4], slow=[5.0])}
    text = rewritten(EMPTY, files)
    assert cells_of(text, "fast")[2:4] == ["1.2 (1 to 1.4) s", "3, 2 failed"]
    assert cells_of(text, "slow")[4] == "**missed** by 150%"
    assert named(text) == (["a.json", "b.json"], False)


def test_commits_of_the_same_sources_are_joined() -> None:
    files = {
        "a.json": {**content(fast=[1.0]), "sources": "5ace"},
        "b.json": {**content("def5678", fast=[3.0]), "sources": "5ace"},
    }
    assert cells_of(rewritten(EMPTY, files), "fast")[2] == "2 (1 to 3) s"


@pytest.mark.parametrize("other", [{"commit": "def5678"}, {"diff": "0123"}, {"sources": "0b1d"}])
def test_files_of_other_code_are_refused_but_as_history(other: dict[str, str]) -> None:
    files = {"a.json": content(fast=[1.0]), "b.json": {**content(fast=[9.0]), **other}}
    with pytest.raises(PageError, match="one table is of one state of the sources"):
        rewritten(EMPTY, files)
    text = rewritten(EMPTY, files, history=True)
    assert cells_of(text, "fast")[2] == "9 s"
    assert cells_of(text, "fast")[-1] == f"`{other.get('commit', 'abc1234')}`"


def test_a_rows_figures_are_all_of_the_last_commit_that_has_some() -> None:
    files = {
        "a.json": content(fast=[1.0], slow=[5.0]),
        "b.json": content(fast=[2.0], slow=[]),
        "c.json": content("def5678", fast=[7.0], slow=[]),
        "d.json": content("def5678", fast=[9.0], slow=[]),
    }
    text = rewritten(EMPTY, files, history=True)
    assert cells_of(text, "fast")[2:4] == ["8 (7 to 9) s", "2, 2 failed"]
    assert cells_of(text, "fast")[-1] == "`def5678`"
    assert cells_of(text, "slow")[2] == "5 s"
    assert cells_of(text, "slow")[-1] == "`abc1234`"


def test_the_phases_of_a_task_are_those_of_one_round() -> None:
    phases = {"ours: begins": [1.0, 9.0, 5.0], "ours: ends": [9.0, 2.0, 5.5]}
    timeline = content(**phases, **{"all that is ours": [10.0, 11.0, 10.5]})
    timeline["works"] = {"timeline": timeline["works"]["some work"]}
    text = rewritten(EMPTY, {"a.json": timeline})
    assert "Round 3 of 3" in text
    assert "| begins | ours | 5 |\n| ends | ours | 6 |\n| all that is ours |  | **10** |" in text


def test_a_page_without_a_place_for_figures_is_refused() -> None:
    with pytest.raises(PageError, match="no place"):
        rewritten("# Performance\n", {"a.json": content(fast=[1.0])})
