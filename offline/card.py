"""The model card: what a stranger must know of a version before he relies on it.

Only what was recorded when it was trained, judged and signed; what was not recorded is
shown as unknown. Not here: reading it (card_command.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from offline.audit import Finding
from offline.errors import COMPARED_ROWS, Balance, Errors, Segment, Split
from offline.page import Cell, Section, Table
from offline.promote import Standing
from offline.recipe import Recipe, source_of
from stream_app.contract.markets import MARKETS
from stream_app.contract.models import Manifest
from stream_app.core.features import FEATURES

UNKNOWN = "unknown"
_FIGURES = "homes", "MAE", "MdAPE, %", "bias, %", "within 10 %"
_METRICS = "rows", "mae", "mdape", "bias", "within_10"
_SHOWN_SEGMENTS = 40


class Criterion(Struct, frozen=True):
    """One line of the gate's verdict."""

    criterion: str
    passed: bool
    reason: str
    rows: int | None = None


class Verdict(Struct, frozen=True):
    """What the gate said, as kept with the version; only what the card shows."""

    passed: bool
    champion: str | None
    homes: int
    holdout_from_ms: int
    findings: tuple[Criterion, ...]


class Known(Struct, frozen=True, kw_only=True):
    """All that is recorded of a version. None: it is not."""

    manifest: Manifest
    standing: Standing
    signed_by: str  # fingerprint of the key
    features_read: tuple[str, ...] | None
    recipe: Recipe | None = None
    errors: Errors | None = None  # of the fit without its holdout, on the holdout
    findings: tuple[Finding, ...] | None = None  # of the audit
    verdict: Verdict | None = None
    reviewed: str | None = None
    roles: Mapping[str, str] | None = None  # alias -> version, as housing.models says


def about(known: Known) -> str:
    """What it is, in two sentences."""
    manifest = known.manifest
    return (
        f"Estimates sale prices of homes in {manifest.market}, in {_currency(manifest)}. "
        f"Version {manifest.version}, made {_day(manifest.made_ms)} from {manifest.training_rows:,} "
        f"sales of {_day(manifest.trained_from_ms)} to {_day(manifest.trained_to_ms)}."
    )


def sections(known: Known) -> list[Section]:
    """All parts of the card."""
    return [
        _use(known),
        _data(known),
        _features(known),
        _training(known),
        *_errors(known),
        _interval(known),
        _audit(known),
        _gate(known),
        _limits(known),
        _origin(known),
    ]


def _use(known: Known) -> Section:
    return Section(
        "Use and scope",
        "For: an estimate, at the time a home is listed, of the price it will be sold for, with a "
        "90 % interval; for search, ranking and as a second opinion. The model is one part of the "
        "served answer: a corrector that learns from each sale moves it to the level of the day. "
        "Not for: decisions on credit or insurance, taxation, appraisals with legal effect, or any "
        "decision on a person. Region, street and coordinates say where people live and can stand "
        "in for groups that the law protects: nobody has tested this model for equal treatment of "
        "such groups, and no data on persons were used that would allow it. Errors by region are "
        "below.",
        tables=[
            Table("Made for", ("what", "value"), list(_scope(known))),
            Table("Numbers", ("feature", "least", "greatest", "unit", "meaning"), _ranges(known)),
        ],
    )


def _scope(known: Known) -> Iterator[Sequence[Cell]]:
    scope = known.manifest.scope
    if scope is None:
        yield from (("property types", UNKNOWN), ("sale prices", UNKNOWN))
        return
    low, high = scope.prices
    yield "property types", ", ".join(scope.property_types)
    yield "sale prices", f"{low:,.0f} to {high:,.0f} {_currency(known.manifest)}"


def _ranges(known: Known) -> list[Sequence[Cell]]:
    """Least and greatest of the training rows, of the numbers that the trees may look at."""
    ranges = {} if known.manifest.scope is None else known.manifest.scope.ranges
    return [(f.name, *ranges[f.name], f.unit, f.meaning) for f in FEATURES if f.name in ranges]


def _data(known: Known) -> Section:
    manifest, recipe = known.manifest, known.recipe
    rows: list[Sequence[Cell]] = [
        ("events", UNKNOWN if recipe is None else source_of(recipe)),
        ("rows: sold homes", f"{manifest.training_rows:,}"),
        ("sold", f"{_day(manifest.trained_from_ms)} to {_day(manifest.trained_to_ms)}"),
        ("SHA-256 of the rows", manifest.data_sha256),
        *(
            [(f"SHA-256 of {name}", found) for name, found in recipe.files.items()]
            if recipe
            else []
        ),
    ]
    tables = [Table("Training data", ("what", "value"), rows)]
    if recipe is not None:
        tables += [
            Table(
                "Read from the log: offsets from the first up to, not including, the end",
                ("partition", "first", "end", "records", "SHA-256"),
                [
                    (r.partition, r.first_offset, r.end_offset, r.records, r.sha256)
                    for r in recipe.read
                ],
            ),
            Table(
                "From events to rows: what was dropped, rule by rule",
                ("rule", "what must hold", "before", "dropped", "after"),
                [
                    (d.rule, d.must_hold, d.before, d.dropped, d.after)
                    for d in recipe.dropped
                    if d.dropped
                ],
            ),
        ]
    return Section(
        "Data",
        "Sales joined with the listing as it was seen, at the time of the listing. Publishers send "
        "them; the sources and their licences are in NOTICE.md.",
        tables=tables,
    )


def _features(known: Known) -> Section:
    read = known.features_read
    rows = [
        (f.name, f.unit, f.meaning, UNKNOWN if read is None else "yes" if f.name in read else "no")
        for f in FEATURES
    ]
    count = UNKNOWN if read is None else f"{len(read)}"
    return Section(
        "Features",
        f"{count} of {len(FEATURES)} features are read: some tree splits on them. The others are "
        "served and kept with each answer, and change no price.",
        tables=[Table("Features", ("feature", "unit", "meaning", "read"), rows, folded=True)],
    )


def _training(known: Known) -> Section:
    manifest, recipe = known.manifest, known.recipe
    shape = UNKNOWN if recipe is None else ", ".join(f"{k} {v}" for k, v in recipe.shape.items())
    rows = [
        ("why it was trained", UNKNOWN if recipe is None else recipe.reason),
        ("asked by", UNKNOWN if recipe is None else recipe.by),
        ("kind", "gradient boosted trees of the logarithm of the price (scikit-learn)"),
        ("shape", shape),
        ("random seed", str(manifest.seed)),
    ]
    return Section(
        "Training",
        "Everything in the order of time: the shape of the trees was chosen on the newer half of "
        "the older rows; a fit without the newest quarter of the sales was judged on homes listed "
        "in it (the holdout); the model itself was then fitted on all rows.",
        tables=[Table("How it was made", ("what", "value"), rows)],
    )


def _errors(known: Known) -> Iterator[Section]:
    errors = known.errors
    currency = _currency(known.manifest)
    text = (
        "Of the same training without the holdout, on the holdout: homes that it had never seen, "
        "listed and sold later. The trees alone; the served answer is corrected, see the gate. "
        f"MAE: mean distance of the estimate from the sale price, in {currency}. MdAPE: half of "
        "the estimates are off by less. Bias: median of estimate / sale price - 1; below 0, "
        "estimates are too low."
    )
    yield Section("Errors", text, tables=[_overall(known.manifest, currency)])
    if errors is None:
        yield Section("Errors by segment", f"By region, type, price and age: {UNKNOWN}.")
        return
    for split in errors.splits:
        if split.by != "month of listing":
            yield Section(
                f"Errors by {split.by}",
                _compared(split.balance),
                tables=[_of_split(split, currency)],
            )


def _compared(balance: Balance) -> str:
    few = f"Figures of fewer than {COMPARED_ROWS} homes move by themselves."
    if balance.ratio is None:
        return f"Fewer than two segments are large enough to be compared. {few}"
    return (
        f"Weakest: {balance.weakest}, best: {balance.best}; accuracy (1 - MdAPE) of the one is "
        f"{balance.ratio:.0%} of that of the other. {few}"
    )


def _overall(manifest: Manifest, currency: str) -> Table:
    rows = [
        (name, *(manifest.metrics.get(f"holdout_{prefix}{field}") for field in _METRICS))
        for name, prefix in (("this model", ""), ("regional median per m2 (naive)", "naive_"))
    ]
    return Table(f"All homes of the holdout; MAE in {currency}", ("", *_FIGURES), rows)


def _of_split(split: Split, currency: str) -> Table:
    return Table(
        f"By {split.by}; MAE in {currency}",
        (split.by, *_FIGURES),
        [_row(segment) for segment in split.segments],
        folded=len(split.segments) > _SHOWN_SEGMENTS,
    )


def _row(segment: Segment) -> list[Cell]:
    figures = segment.figures
    return [segment.name, *(getattr(figures, name) for name in _METRICS)]


def _interval(known: Known) -> Section:
    found = (
        [c for c in known.verdict.findings if "interval" in c.criterion] if known.verdict else []
    )
    rows = [(c.criterion, c.rows, c.reason) for c in found]
    return Section(
        "Interval",
        "The served interval is meant to hold nine sales in ten. It is made of the errors on the "
        "newest sales, so its coverage is measured on served answers: by the gate.",
        tables=[
            Table("Coverage", ("what", "homes", "found"), rows or [("coverage", None, UNKNOWN)])
        ],
    )


def _audit(known: Known) -> Section:
    standing = known.standing
    if known.findings is None:
        return Section("Audit", "What the audit found is unknown.")
    held = [f"Held for review: {standing.held}"] if standing.held else []
    reviewed = f" A person let it pass: {known.reviewed}." if known.reviewed else ""
    return Section(
        "Audit",
        "Before a version may serve, its features are searched for leaks: errors that are too "
        f"small, a feature that alone tells the price, rows made after the sale.{reviewed}",
        tables=[
            Table(
                "Findings",
                ("kind", "holds the model", "reason"),
                [(f.kind, "yes" if f.held else "no", f.reason) for f in known.findings]
                or [("none", "no", "nothing was found")],
            )
        ],
        warnings=held,
    )


def _gate(known: Known) -> Section:
    verdict = known.verdict
    if verdict is None:
        return Section("Gate", "It was never judged against what it would replace: unknown.")
    against = verdict.champion or "the naive price, for there was no champion"
    return Section(
        "Gate",
        f"{'Passed' if verdict.passed else 'Not passed'}: judged against {against}, by the answers "
        f"that {verdict.homes:,} homes listed from {_day(verdict.holdout_from_ms)} on would have "
        "been given, corrector and late labels included.",
        tables=[
            Table(
                "Criteria",
                ("criterion", "passed", "homes", "reason"),
                [
                    (c.criterion, "yes" if c.passed else "NO", c.rows, c.reason)
                    for c in verdict.findings
                ],
            )
        ],
    )


def _limits(known: Known) -> Section:
    return Section(
        "Limits",
        "Knows nothing of a home's inside but what the listing says, nothing of mortgages, of "
        "auctions, or of what is being built next door. Prices that move faster than sales are "
        "recorded are followed late. Homes beyond the scope above are priced and marked "
        "out_of_scope or outside_training. In regions or types with few sales the errors above "
        "are those of few homes: read their number. A value that is unknown is passed on as "
        "unknown, never as 0.",
        warnings=[f"Retired: {known.standing.retired}"] if known.standing.retired else [],
    )


def _origin(known: Known) -> Section:
    manifest, recipe = known.manifest, known.recipe
    roles = UNKNOWN
    if known.roles is not None:
        roles = ", ".join(a for a, v in known.roles.items() if v == manifest.version) or "nothing"
    rows = [
        ("version", manifest.version),
        ("made", datetime.fromtimestamp(manifest.made_ms / 1000, UTC).isoformat(" ", "seconds")),
        ("serves as", roles),
        ("signed by the key", known.signed_by),
        ("SHA-256 of the bundle", manifest.bundle_sha256),
        ("size of the bundle", f"{manifest.bundle_bytes:,} bytes"),
        ("drift reference", manifest.reference_sha256 or UNKNOWN),
        ("feature set", manifest.feature_set),
        *(sorted(manifest.library_versions.items())),
        ("SHA-256 of the lock file", (recipe and recipe.lock_sha256) or UNKNOWN),
        ("SHA-256 of the code", (recipe and recipe.code_sha256) or UNKNOWN),
        ("CPU features", " ".join(manifest.cpu_features)),
    ]
    return Section(
        "Origin",
        "Signature and hash were checked when this card was made. "
        f"`python -m offline reproduce --market {manifest.market} {manifest.version}` makes it again.",
        tables=[Table("Versions and hashes", ("what", "value"), rows)],
    )


def _currency(manifest: Manifest) -> str:
    return MARKETS[manifest.market].currency


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()
