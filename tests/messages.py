"""One of every message that is no event, with anything changed by keyword."""

from typing import TypeVar

import msgspec

from stream_app.contract.alerts import (
    Alert,
    AlertAcknowledged,
    AlertResolved,
    AlertSnoozed,
    ApprovalGiven,
    Decision,
    PreflightMeasured,
    PreflightRequested,
    RequestAnswered,
    RequestStatus,
    RetrainRequested,
    RollbackRequested,
    RolledBack,
    Severity,
)
from stream_app.contract.archive import ArchiveFile, ArchiveManifest
from stream_app.contract.models import (
    Activated,
    AliasSet,
    ChampionAnnounced,
    CorrectorAnnounced,
    GoldenRow,
    Manifest,
    RolloutMode,
    RolloutSet,
)
from stream_app.contract.predictions import (
    Change,
    Components,
    Outcome,
    Prediction,
    Quality,
    QualityReason,
    Reason,
    ReasonGroup,
    Step,
    Versions,
    What,
)
from stream_app.contract.rejects import RejectCode, RejectHeaders
from tests.builders import HOUR_MS, LISTED_MS, LISTING_ID, MARKET, REGION, SOLD_MS, SOURCE

M = TypeVar("M", bound=msgspec.Struct)

COMPONENTS = Components(12.5, 12.4, 0.01, -0.02, 1.0)
VERSIONS = Versions("v1", "c1", "f1")
FEATURES = (4.7, None, 3.0)


def prediction(**changes: object) -> Prediction:
    return _changed(
        Prediction(
            prediction_id="p-1",
            event_id="e-1",
            listing_id=LISTING_ID,
            revision=0,
            market=MARKET,
            region=REGION,
            event_time_ms=LISTED_MS,
            source_partition=0,
            source_offset=7,
            trace_id=None,
            currency="USD",
            price=240_000.0,
            price_low=190_000.0,
            price_high=300_000.0,
            step=Step.CHAMPION,
            quality=Quality.DEGRADED,
            quality_reasons=(QualityReason.LATE,),
            components=COMPONENTS,
            reasons=(Reason(ReasonGroup.SIZE, 0.08), Reason(ReasonGroup.AGE, -0.03)),
            versions=VERSIONS,
            features=FEATURES,
            feature_age_ms=86_400_000,
            supersedes="p-0",
            changed=(Change(What.HOME, features=("home_bedrooms",)), Change(What.ARM, "a", "b")),
            moved_log=0.01,
        ),
        changes,
    )


def outcome(**changes: object) -> Outcome:
    return _changed(
        Outcome(
            prediction_id="p-1",
            listing_id=LISTING_ID,
            market=MARKET,
            region=REGION,
            source=SOURCE,
            sale_event_id="e-2",
            sale_revision=0,
            corrects=False,
            teaches=True,
            listed_ms=LISTED_MS,
            sold_ms=SOLD_MS,
            sale_price=221_900.0,
            price=240_000.0,
            price_low=190_000.0,
            price_high=300_000.0,
            step=Step.CHAMPION,
            late=False,
            area_m2=110.0,
            property_type="house",
            components=COMPONENTS,
            versions=VERSIONS,
            region_scale=0.1,
            active_champion="v1",
            active_residual_log=-0.08,
            features=FEATURES,
        ),
        changes,
    )


def reject_headers(**changes: object) -> RejectHeaders:
    return _changed(
        RejectHeaders(
            code=RejectCode.AREA,
            detail="area_m2=5500.0",
            source_topic="housing.events",
            source_partition="0",
            source_offset="7",
            publisher=SOURCE,
            size="420",
            sha256="00" * 32,
        ),
        changes,
    )


def manifest(**changes: object) -> Manifest:
    return _changed(
        Manifest(
            market=MARKET,
            version="v1",
            bundle_sha256="00" * 32,
            bundle_bytes=1_000,
            reference_sha256=None,
            feature_names=("home_log_area", "home_type_code", "home_bedrooms"),
            feature_set="f1",
            encodings={"home_type_code": {"2343252": 7.7}},
            encoding_defaults={"home_type_code": 7.5},
            golden_rows=(GoldenRow(FEATURES, 12.4),),
            holdout_abs_log_errors=(0.1, 0.05),
            metrics={"mae": 70_000.0},
            trained_from_ms=LISTED_MS - 1,
            trained_to_ms=LISTED_MS,
            training_rows=900,
            data_sha256="11" * 32,
            seed=1,
            library_versions={"scikit-learn": "1.9.1"},
            cpu_features=("avx2",),
            made_ms=SOLD_MS,
        ),
        changes,
    )


def champion(**changes: object) -> ChampionAnnounced:
    return _changed(
        ChampionAnnounced(manifest=manifest(), signature="22" * 64, address=f"{'00' * 32}.skops"),
        changes,
    )


def corrector(**changes: object) -> CorrectorAnnounced:
    return _changed(
        CorrectorAnnounced(
            market=MARKET,
            version="c1",
            outcome_partition=0,
            outcome_offset=199,
            labels=200,
            feature_names=("home_log_area",),
            counts=(200.0,),
            means=(4.7,),
            variances=(0.2,),
            weights=(0.01,),
            intercept=0.002,
            guard_weight=1.0,
            scale=0.1,
            score_quantile=2.1,
        ),
        changes,
    )


def alias(**changes: object) -> AliasSet:
    return _changed(
        AliasSet(market=MARKET, alias="champion", version="v1", reason="the first"), changes
    )


def rollout(**changes: object) -> RolloutSet:
    return _changed(
        RolloutSet(market=MARKET, mode=RolloutMode.CANARY, share=0.1, reason="v2 looks better"),
        changes,
    )


def activated(**changes: object) -> Activated:
    return _changed(
        Activated(partition=0, from_offset=7, market=MARKET, champion="v1", corrector=None), changes
    )


def alert(**changes: object) -> Alert:
    return _changed(
        Alert(
            fingerprint="a-1",
            raised_ms=SOLD_MS,
            market=MARKET,
            cause="price level",
            severity=Severity.WARNING,
            summary="error up by 6 % on 900 labels",
            value=0.106,
            baseline=0.1,
            sample_size=900,
            segment=None,
            action="look at the report",
            runbook="docs/runbooks/price-level.md",
        ),
        changes,
    )


def resolved(**changes: object) -> AlertResolved:
    return _changed(
        AlertResolved(fingerprint="a-1", market=MARKET, resolved_ms=SOLD_MS, reason="gone"),
        changes,
    )


def acknowledged(**changes: object) -> AlertAcknowledged:
    return _changed(
        AlertAcknowledged(
            fingerprint="a-1", market=MARKET, acknowledged_ms=SOLD_MS, acknowledged_by="ops"
        ),
        changes,
    )


def snoozed(**changes: object) -> AlertSnoozed:
    return _changed(
        AlertSnoozed(
            fingerprint="a-1",
            market=MARKET,
            snoozed_ms=SOLD_MS,
            snoozed_by="ops",
            until_ms=SOLD_MS + HOUR_MS,
        ),
        changes,
    )


def decision(**changes: object) -> Decision:
    return _changed(
        Decision(market=MARKET, decided_ms=SOLD_MS, retrain=False, reasons=("3 labels",)), changes
    )


def retrain_requested(**changes: object) -> RetrainRequested:
    return _changed(
        RetrainRequested(
            request_id="r-1", market=MARKET, requested_ms=SOLD_MS, reasons=("price level",)
        ),
        changes,
    )


def preflight_requested(**changes: object) -> PreflightRequested:
    return _changed(
        PreflightRequested(
            request_id="p-1", market=MARKET, requested_ms=SOLD_MS, reasons=("price level",)
        ),
        changes,
    )


def rollback_requested(**changes: object) -> RollbackRequested:
    return _changed(
        RollbackRequested(
            request_id="b-1", market=MARKET, requested_ms=SOLD_MS, reasons=("probation failed",)
        ),
        changes,
    )


def approval(**changes: object) -> ApprovalGiven:
    return _changed(
        ApprovalGiven(request_id="r-1", market=MARKET, approved_ms=SOLD_MS, approved_by="ops"),
        changes,
    )


def answered(status: RequestStatus, **changes: object) -> RequestAnswered:
    return _changed(
        RequestAnswered(request_id="r-1", market=MARKET, answered_ms=SOLD_MS, status=status),
        changes,
    )


def preflight_measured(**changes: object) -> PreflightMeasured:
    return _changed(
        PreflightMeasured(
            request_id="p-1",
            market=MARKET,
            measured_ms=SOLD_MS,
            champion="v1",
            labels=500,
            listed_from_ms=LISTED_MS,
            listed_to_ms=SOLD_MS,
            served_error_log=0.11,
            retrained_error_log=0.1,
            saving_log=0.01,
            saving_low_log=0.006,
            saving_high_log=0.014,
            day_blocks=60,
        ),
        changes,
    )


def rolled_back(**changes: object) -> RolledBack:
    return _changed(
        RolledBack(
            request_id="b-1",
            market=MARKET,
            rolled_back_ms=SOLD_MS,
            from_version="v2",
            to_version="v1",
        ),
        changes,
    )


def archive_manifest(**changes: object) -> ArchiveManifest:
    return _changed(
        ArchiveManifest(
            topic="housing.outcomes",
            topic_id="t-1",
            partition=0,
            first_offset=0,
            next_offset=3,
            lost_to_offset=0,
            rows=2,
            files=(
                ArchiveFile(
                    path="outcomes/t-1/2014-08-13/king-county/00000-0-x.parquet",
                    layout="message",
                    market=MARKET,
                    rows=2,
                    size_bytes=4_000,
                    sha256="33" * 32,
                    event_from_ms=SOLD_MS,
                    event_to_ms=SOLD_MS,
                ),
            ),
            made_ms=SOLD_MS,
        ),
        changes,
    )


def _changed(message: M, changes: dict[str, object]) -> M:
    return msgspec.structs.replace(message, **changes)
