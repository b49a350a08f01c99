"""Many tests at once: which of them still say something.

Benjamini and Hochberg, "Controlling the false discovery rate", JRSS B 1995. Where nothing
is wrong anywhere, one false alarm in all tests together is as rare as in one test alone.
"""

from collections.abc import Sequence


def limit(p_values: Sequence[float], share: float) -> float:
    """The largest p value that is still a discovery; below 0: none is.

    `share` is how many of the discoveries may be false.

    >>> limit([0.001, 0.02, 0.8], share=0.05)
    0.02
    >>> limit([0.04, 0.5, 0.8], share=0.05)
    -1.0
    """
    ranked = enumerate(sorted(p_values), start=1)
    found = (p for rank, p in ranked if p <= share * rank / len(p_values))
    return max(found, default=-1.0)
