"""What the pure step costs by regions and along the stream, as a picture for docs/performance.md."""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")  # before pyplot: no screen is there
from matplotlib import pyplot as plt

from bench.results import Results

FILE = Path("docs", "pictures", "performance-step.png")


def draw(results: Results, file: Path = FILE) -> None:
    """Both curves from zero on, side by side; nothing when `step` was never run."""
    if not results.regions_us:
        return
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.2), sharey=True)
    left.plot([int(n) for n in results.regions_us], list(results.regions_us.values()), marker="o")
    left.set(xscale="log", xlabel="regions", ylabel="µs of processor time per event")
    left.set_ylim(bottom=0)
    right.plot(range(1, 1 + len(results.along_us)), results.along_us, marker="o")
    right.set(xlabel="eighths of two years of the market")
    figure.tight_layout()
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
    plt.close(figure)
