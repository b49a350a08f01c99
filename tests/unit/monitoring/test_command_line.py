"""What the commands of monitoring say of their own options, and with which status they end."""

import pytest

from monitoring import __main__ as program


def test_a_wrong_kind_of_report_is_told_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        program.main(["report", "--market", "hdb", "--kind", "nope"])

    assert refused.value.code == 2
    assert "(choose from 'drift', 'quality', 'data')" in capsys.readouterr().err


def test_the_usage_of_archive_says_that_prune_may_be_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        program.main(["archive", "--help"])

    usage = capsys.readouterr().out.partition("\n\n")[0]
    assert usage.endswith("[prune] ...")
