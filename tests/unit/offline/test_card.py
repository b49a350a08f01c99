"""A card says what was recorded, with unit and number of homes, and of all else that it is unknown."""

import msgspec
import pytest

from offline import card, gate, page, page_markdown
from offline.audit import Finding
from offline.card import Known, Verdict
from offline.promote import Standing
from stream_app.contract.models import Scope
from tests import messages

MANIFEST = messages.manifest(version="v1", trained_from_ms=0, trained_to_ms=86_400_000)
BARE = Known(manifest=MANIFEST, standing=Standing("v1"), signed_by="SHA256:ab", features_read=None)


def rendered(known: Known) -> str:
    return page_markdown.render("Card", card.about(known), card.sections(known))


def test_what_was_never_recorded_is_unknown_in_every_part() -> None:
    text = rendered(BARE)

    for line in (
        "| property types | unknown |",
        "| events | unknown |",
        "| why it was trained | unknown |",
        "By region, type, price and age: unknown.",
        "| coverage | – | unknown |",
        "What the audit found is unknown.",
        "It was never judged against what it would replace: unknown.",
        "| serves as | unknown |",
        "unknown of 40 features are read",
    ):
        assert line in text, line


def test_the_gates_own_verdict_is_understood() -> None:
    said = gate.Verdict(
        market=MANIFEST.market,
        version="v1",
        champion=None,
        passed=True,
        homes=1_234,
        holdout_from_ms=0,
        findings=(
            gate.Finding("interval", True, "90.1% of the sales lie inside", 0.9, 0.88, 1_200),
        ),
        segments=(),
    )
    verdict = msgspec.json.decode(msgspec.json.encode(said), type=Verdict)

    text = rendered(msgspec.structs.replace(BARE, verdict=verdict))

    assert "Passed: judged against the naive price, for there was no champion" in text
    assert "1,234 homes listed from 1970-01-01 on" in text
    assert text.count("| interval | 1,200 | 90.1% of the sales lie inside |") == 1
    assert "| interval | yes | 1,200 | 90.1% of the sales lie inside |" in text


def test_a_hold_and_its_review_are_told() -> None:
    known = msgspec.structs.replace(
        BARE,
        standing=Standing("v1", held="R2 is 0.999", retired="a leak"),
        findings=(Finding("r2", "", 0.999, 0.99, held=True, reason="R2 is 0.999"),),
        reviewed="looked",
    )

    text = rendered(known)

    assert "> **Held for review: R2 is 0.999**" in text
    assert "A person let it pass: looked." in text
    assert "> **Retired: a leak**" in text


def test_numbers_of_the_scope_have_units() -> None:
    scope = Scope(
        ranges={"home_bedrooms": (1.0, 9.0)}, property_types=("house",), prices=(1e5, 2e6)
    )
    manifest = msgspec.structs.replace(MANIFEST, scope=scope)

    text = rendered(msgspec.structs.replace(BARE, manifest=manifest))

    assert "| sale prices | 100,000 to 2,000,000 USD |" in text
    assert "| home_bedrooms | 1 | 9 | number | bedrooms |" in text


@pytest.mark.parametrize("name", ["a|b", "<script>", "two\nlines"])
def test_a_publishers_words_do_not_break_a_table(name: str) -> None:
    table = page.Table("t", ("what",), [(name,)])

    text = page_markdown.render("t", "", [page.Section("s", "", tables=[table])])

    (row,) = [line for line in text.splitlines() if line.startswith("| ") and "---" not in line][1:]
    assert "<" not in row
    assert row.count("|") - row.count("\\|") == 2
