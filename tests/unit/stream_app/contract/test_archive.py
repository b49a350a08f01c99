"""Names of manifests sort as their ranges do."""

from stream_app.contract.archive import manifest_name


def test_names_sort_by_partition_and_then_by_offset() -> None:
    ranges = [(0, 0), (0, 9), (0, 10), (0, 2**62), (1, 0), (10, 0)]

    names = [manifest_name(*each) for each in ranges]

    assert names == sorted(names)
