"""A log that has grown is read up to where it ended then."""

from offline import events, log
from tests import builders, sales


def test_a_partition_ends_where_it_did_and_one_that_is_new_was_not_there() -> None:
    partition = log.of_lines(map(builders.raw, sales.events(homes=3)))
    new = log.of_lines([builders.raw(builders.listing())])._replace(number=1)

    old, none = events.until([partition, new], {0: 4})

    assert [line.record.offset for line in old.lines] == [0, 1, 2, 3]
    assert list(none.lines) == []
