"""The trees of a gradient boosting, all walked at once. To the bit what its `predict` says.

Not here: where the trees come from, and whether they may serve (champion.py).

Theory of operation
-------------------
scikit-learn calls tree after tree, some 300 calls of 9 us for a row, of which the walk is
the least. Here a tree is a word of 64 bits, one for each leaf, from left to right. A node
rules leaves out: those to its right for a row that goes left, those to its left for any
other. What a feature rules out in all trees depends only on between which two of the
forest's thresholds its value lies, or that it is unknown. So each feature has a table, made
once: of each interval, the leaves of all trees that are left. What all features leave is
one leaf in each tree. (After C. Lucchese et al., "QuickScorer", SIGIR 2015, which looks
words up node by node.)

A tree of more leaves takes several words, and of all but one of them nothing is left.

Values are added up in the order of the trees, as scikit-learn does: `cumsum` keeps to it,
`sum` does not. So a row has the same bits alone and in any batch.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

WORD_LEAVES = 64
# Rows walked together: of 400 words each, 64 take 200 kB and stay in a core's own cache.
_BLOCK_ROWS = 64
_ONE = np.uint64(1)

Nodes = NDArray[Any]  # of a tree as scikit-learn keeps them: parents first, left before right
Words = NDArray[np.uint64]  # shape (..., words): a bit for each leaf


class _Split(NamedTuple):
    """An inner node; its leaves, by number in the forest, are parted at `middle`."""

    threshold: float
    unknown_is_left: bool
    first: int
    middle: int
    end: int


class _Column(NamedTuple):
    """What a feature leaves."""

    place: int
    thresholds: NDArray[np.float64]  # shape (n,), rising
    left: Words  # shape (n + 2, words): of a value above so many thresholds; last: of none


class Forest:
    """A fitted gradient boosting that only predicts; it knows no categories of its own."""

    def __init__(self, regressor: HistGradientBoostingRegressor) -> None:
        trees: list[Nodes] = [tree.nodes for (tree,) in regressor._predictors]
        leaves = [nodes["value"][nodes["is_leaf"] != 0] for nodes in trees]
        words = [-(-len(values) // WORD_LEAVES) for values in leaves]
        starts = np.cumsum([0, *words]) * WORD_LEAVES  # number of each tree's first leaf
        self._all = np.zeros(sum(words), dtype=np.uint64)
        # One value more for each word: of no leaf.
        values = np.zeros((sum(words), WORD_LEAVES + 1))
        splits: dict[int, list[_Split]] = defaultdict(list)
        for start, nodes, of_tree in zip(starts.tolist(), trees, leaves, strict=False):
            numbers = start + np.arange(len(of_tree))
            values[numbers // WORD_LEAVES, numbers % WORD_LEAVES] = of_tree
            for word, mask in _masks(start, start + len(of_tree)):
                self._all[word] = mask
            for feature, split in _splits(nodes, start):
                splits[feature].append(split)
        values[0] += regressor._baseline_prediction.item()  # where scikit-learn begins
        self._values = values.ravel()
        self._places = np.arange(len(values)) * (WORD_LEAVES + 1)
        self._columns = [_column(f, splits[f], self._all) for f in sorted(splits)]

    def used(self, features: int) -> NDArray[np.bool_]:
        """Shape (features,): which features some tree is split on."""
        return np.isin(np.arange(features), [column.place for column in self._columns])

    def predict(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Raw predictions, shape (n,), of encoded rows, shape (n, features)."""
        blocks = [rows[at : at + _BLOCK_ROWS] for at in range(0, len(rows), _BLOCK_ROWS)]
        return np.concatenate([np.zeros(0), *[self._add_up(self._walk(each)) for each in blocks]])

    def _walk(self, rows: NDArray[np.float64]) -> Words:
        """Shape (n, words): the leaf that each row comes to."""
        unknown = np.isnan(rows)
        left = np.tile(self._all, (len(rows), 1))
        for place, thresholds, table in self._columns:
            above = thresholds.searchsorted(rows[:, place])  # NaN is above all
            left &= table.take(above + unknown[:, place], axis=0)
        return left

    def _add_up(self, left: Words) -> NDArray[np.float64]:
        # Below the one bit of a word lie as many as its place says; below none, all 64.
        leaf = np.bitwise_count(left - _ONE)
        sums: NDArray[np.float64] = self._values.take(leaf + self._places).cumsum(axis=1)
        return sums[:, -1]


def _splits(nodes: Nodes, start: int) -> Iterator[tuple[int, _Split]]:
    """The inner nodes of a tree, by feature; `start` is the number of its first leaf."""
    leaves_before = start + np.cumsum([0, *nodes["is_leaf"].tolist()])
    ends = [int(leaves_before[-1])] * len(nodes)
    before = leaves_before.tolist()
    columns = ("is_leaf", "feature_idx", "num_threshold", "missing_go_to_left", "left", "right")
    fields = zip(*[nodes[name].tolist() for name in columns], strict=True)
    for at, (is_leaf, feature, threshold, unknown_is_left, left, right) in enumerate(fields):
        if not is_leaf:
            ends[left], ends[right] = before[right], ends[at]
            split = _Split(threshold, bool(unknown_is_left), before[at], before[right], ends[at])
            yield feature, split


def _column(place: int, splits: Sequence[_Split], leaves: Words) -> _Column:
    thresholds = sorted({split.threshold for split in splits})
    numbers = {threshold: number for number, threshold in enumerate(thresholds)}
    # Above a threshold and all that are higher; below it and all that are lower; unknown.
    above, below = (np.tile(leaves, (len(thresholds) + 1, 1)) for _ in range(2))
    unknown = leaves.copy()
    for split in splits:
        number = numbers[split.threshold]
        to_the_left, to_the_right = (split.first, split.middle), (split.middle, split.end)
        _rule_out(above[number + 1], *to_the_left)
        _rule_out(below[number], *to_the_right)
        _rule_out(unknown, *(to_the_right if split.unknown_is_left else to_the_left))
    np.bitwise_and.accumulate(above, out=above)
    np.bitwise_and.accumulate(below[::-1], out=below[::-1])
    return _Column(place, np.array(thresholds), np.vstack([above & below, unknown]))


def _rule_out(words: Words, first: int, end: int) -> None:
    for word, mask in _masks(first, end):
        words[word] &= ~mask


def _masks(first: int, end: int) -> Iterator[tuple[int, np.uint64]]:
    """The leaves from `first` to before `end`, word by word."""
    for word in range(first // WORD_LEAVES, -(-end // WORD_LEAVES)):
        low = max(0, first - word * WORD_LEAVES)
        high = min(WORD_LEAVES, end - word * WORD_LEAVES)
        yield word, np.uint64((1 << high) - (1 << low))
