import json
from pathlib import Path

from bench import page, picture, results
from bench.results import Latency, Results, Run

MEASURED = Results(
    made="2026-11-28T12:00:00Z",
    machine={"cpu": "some", "cores": 2},
    versions={"python": "3.11"},
    rounds=[{"ours": Run(100, 1.0, 0.5, 200.0)}],
    failures={"textbook_quix": "ended with status 1", "swap": "it never served"},
    rates={"ours": 100.0},
    ratios={"ours/hand_loop": 0.6, "ours/textbook_faust": 12.0},
    latency_ms={"1000": Latency(12.0, 50.0), "5000": Latency(900.0, 2_000.0, note="too much")},
    changes={"swap_blip_ms": 30.0},
    cpu_us_per_event={"ours": 5_000.0},
    memory_mb={"ours": 200.0},
)


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    results.save(MEASURED, tmp_path / "new" / "results.json")

    assert results.load(tmp_path / "new" / "results.json") == MEASURED


def test_the_file_has_the_names_that_others_read(tmp_path: Path) -> None:
    results.save(MEASURED, tmp_path / "results.json")
    written = json.loads((tmp_path / "results.json").read_text())

    assert written["rates"] == {"ours": 100.0}
    assert written["ratios"]["ours/hand_loop"] == 0.6
    assert written["latency_ms"]["1000"].items() >= {"p50": 12.0, "p99": 50.0}.items()
    assert written["cpu_us_per_event"] == {"ours": 5_000.0}
    assert written["memory_mb"] == {"ours": 200.0}


def test_nothing_was_measured_before_the_first_run(tmp_path: Path) -> None:
    assert results.load(tmp_path / "results.json") == Results()


def test_a_peer_that_failed_stands_in_the_table_with_words() -> None:
    assert "ended with status 1" in page.table(MEASURED)


def test_what_failed_beside_the_peers_is_told_below_the_tables() -> None:
    lines = page.table(MEASURED).splitlines()

    assert "- Not measured: `swap`: it never served" in lines
    assert not any(line.startswith("- Not measured: `textbook_quix`") for line in lines)


def test_a_load_that_is_not_kept_up_with_is_told_beside_its_latency() -> None:
    assert "| 5000 | 900 | 0 | 2,000 | 0 | too much |" in page.table(MEASURED)


def test_what_a_swap_does_stands_on_the_page() -> None:
    assert "| swap blip ms | 30.00 |" in page.table(MEASURED)


def test_a_target_that_was_missed_is_told() -> None:
    lines = page.table(MEASURED).splitlines()

    assert next(line for line in lines if "ours/textbook_faust" in line).endswith("missed |")
    assert next(line for line in lines if "ours/hand_loop" in line).endswith("met |")


def test_what_stands_around_the_table_is_left_alone() -> None:
    before = f"# Title\n{page.BEGIN}\nold\n{page.END}\nprose\n"

    assert page.placed(before, "new") == f"# Title\n{page.BEGIN}\nnew\n{page.END}\nprose\n"


def test_a_picture_is_drawn_of_what_the_step_costs(tmp_path: Path) -> None:
    measured = Results(regions_us={"70": 80.0, "10000": 110.0}, along_us=[90.0, 91.0])

    picture.draw(measured, tmp_path / "new" / "step.png")

    assert (tmp_path / "new" / "step.png").read_bytes().startswith(b"\x89PNG")
