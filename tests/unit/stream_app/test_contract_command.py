"""`python -m stream_app contract` keeps the documents up to date."""

from pathlib import Path

import pytest

from stream_app.__main__ import main
from stream_app.shell import documents


def test_documents_are_written_where_they_are_wanted(tmp_path: Path) -> None:
    assert main(["contract", "--out", str(tmp_path / "new")]) == 0

    written = {path.name: path.read_text("utf-8") for path in (tmp_path / "new").iterdir()}
    assert written == documents.documents()


def test_a_check_names_what_is_out_of_date_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["contract", "--out", str(tmp_path)])
    (tmp_path / "rules.md").write_text("old", "utf-8")
    (tmp_path / "mine.md").write_text("mine", "utf-8")
    capsys.readouterr()

    assert main(["contract", "--check", "--out", str(tmp_path)]) == 1

    assert capsys.readouterr().out == f"out of date: {tmp_path / 'rules.md'}\n"
    assert (tmp_path / "rules.md").read_text("utf-8") == "old"


def test_a_second_run_finds_nothing_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["contract", "--out", str(tmp_path)])
    capsys.readouterr()

    assert main(["contract", "--out", str(tmp_path)]) == 0
    assert main(["contract", "--check", "--out", str(tmp_path)]) == 0

    assert capsys.readouterr().out == f"{tmp_path} is up to date\n" * 2
