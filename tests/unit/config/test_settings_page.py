"""The page of settings says what the table of settings says."""

from pathlib import Path

from headway.config.describe import reference

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"


def test_page_holds_the_table_as_it_is() -> None:
    assert reference().strip() in PAGE.read_text(encoding="utf-8"), "write reference() into docs/settings.md"
