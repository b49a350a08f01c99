"""What is shown of alerts, and in which order."""

from monitoring.page import operations
from monitoring.page.view import of_query
from stream_app.contract.spans import DAY_MS
from tests import messages
from tests.builders import MARKET
from tests.unit.monitoring.page import states


def test_what_stands_is_shown_first_and_of_that_the_last_to_be_told() -> None:
    told = [
        messages.alert(fingerprint=f"of-{day}", segment=f"of {day}", since_ms=day * DAY_MS)
        for day in (9, 3, 5, 7)
    ]
    over = messages.resolved(fingerprint="of-5")
    known = states.known(states.days(40), [*told, over])

    (table,) = operations.alerts(known, of_query(MARKET, known.sums[MARKET], {})).tables

    where = [column.name for column in table.columns].index("where")
    assert [row[where] for row in table.rows] == ["of 7", "of 3", "of 9", "of 5"]
