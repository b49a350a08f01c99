"""What a person is told while a bench works: on standard error, results are on the other."""

import sys


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
