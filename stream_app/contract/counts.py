"""How the programs print a count. Regular words only: there is no other among what they count."""


def counted(number: int, one: str) -> str:
    """Give the number with its word.

    >>> counted(0, "row"), counted(1, "row"), counted(1_200, "row")
    ('0 rows', '1 row', '1,200 rows')
    """
    return f"{number:,} {one}" if number == 1 else f"{number:,} {one}s"
