"""What other programs may import of the contract. A change of this table is a change of the contract.

A new name is welcome; a name that goes, or changes what it means, breaks whoever imports it:
say so in the changelog.
"""

import ast
from pathlib import Path

import pytest

from tests.architecture import tree

EXPORTED: dict[str, set[str]] = {
    "alerts": {
        "Alert",
        "AlertAcknowledged",
        "AlertNote",
        "AlertResolved",
        "AlertSnoozed",
        "AnyAlertMessage",
        "AnyAlertNote",
        "AnyRequest",
        "ApprovalGiven",
        "DOUBTED",
        "Decision",
        "NextStep",
        "PreflightMeasured",
        "PreflightRequested",
        "Request",
        "RequestAnswered",
        "RequestStatus",
        "RetrainRequested",
        "RollbackRequested",
        "RolledBack",
        "Severity",
        "TRUSTED_AGAIN",
        "Trigger",
        "WorkStep",
        "key_of",
    },
    "archive": {
        "ALL_MARKETS",
        "ARCHIVE_VERSION",
        "ArchiveFile",
        "ArchiveManifest",
        "GoneFile",
        "MANIFESTS",
        "RAW_COLUMNS",
        "UNKNOWN_MARKET",
        "UNREADABLE",
        "manifest_name",
    },
    "counts": {"counted"},
    "dictionary": {"MESSAGES", "documents", "events_markdown", "rules_markdown", "schema"},
    "events": {
        "AnyEvent",
        "Correction",
        "EVENT_TYPES",
        "Erasure",
        "Event",
        "Label",
        "Listing",
        "Name",
        "Revision",
        "SCHEMA_VERSION",
        "Sale",
        "TimeMs",
        "Withdrawal",
        "kind_of",
        "kind_of_type",
    },
    "ids": {"fingerprint", "murmur2", "partition_of", "prediction_id"},
    "markets": {"MARKETS", "Market"},
    "models": {
        "Activated",
        "Alias",
        "AliasSet",
        "AnyModelMessage",
        "ChampionAnnounced",
        "CorrectorAnnounced",
        "DEFAULT_SHARES",
        "GoldenRow",
        "Handover",
        "LATENESS_MAX_H",
        "LatenessH",
        "LedgerDays",
        "LedgerEntries",
        "LiveErrors",
        "Manifest",
        "Overload",
        "Policy",
        "RolloutMode",
        "RolloutSet",
        "Scope",
        "SegmentShift",
        "Share",
    },
    "predictions": {
        "Arm",
        "Change",
        "Components",
        "Doubt",
        "Outcome",
        "Prediction",
        "Quality",
        "QualityReason",
        "Reason",
        "ReasonGroup",
        "Step",
        "Versions",
        "What",
    },
    "rejects": {
        "InvariantBroken",
        "ModelNotOpened",
        "ModelRefused",
        "ModelUnavailable",
        "OurFault",
        "RejectCode",
        "RejectHeaders",
        "Rejected",
        "SourceChanged",
        "Undelivered",
    },
    "remedies": {
        "CONDITIONS",
        "Condition",
        "DOUBTS",
        "QUALITY_MEANINGS",
        "QUALITY_REMEDIES",
        "REMEDIES",
        "Remedy",
        "Suspicion",
    },
    "requests": {"Asked", "ENDS", "Requests", "of", "take"},
    "rules": {
        "EPOCH_1990_MS",
        "FUTURE_TOLERANCE_MS",
        "PRICE_MIN",
        "RULES",
        "Rule",
        "YEAR_MS",
        "from_future",
        "violation",
    },
    "settings": {
        "BOOTSTRAP_SERVERS",
        "BadSettings",
        "CONFIG_FILE",
        "DEFAULT_FILE",
        "KafkaSettings",
        "ROOT",
        "SECTIONS",
        "Secret",
        "T",
        "gathered",
        "merged",
        "read",
    },
    "spans": {"DAY_MS", "HOUR_MS"},
    "topics": {
        "ACTIVATIONS",
        "ALERTS",
        "DEFAULT_PARTITIONS",
        "EVENTS",
        "EVENT_BYTES_MAX",
        "LEARNER_STATE",
        "MB",
        "MODELS",
        "OUTCOMES",
        "PARTITIONER",
        "PREDICTIONS",
        "RECORD_BYTES_MAX",
        "REJECTS",
        "SHADOW",
        "STATE",
        "TOPICS",
        "Topic",
        "full_name",
        "group_id",
        "transactional_id",
    },
    "wire": {
        "Decoded",
        "T",
        "decode_activated",
        "decode_alert_message",
        "decode_archive_manifest",
        "decode_event",
        "decode_model_message",
        "decode_outcome",
        "decode_prediction",
        "encode",
        "manifest_bytes",
        "publisher_of",
    },
}


def defined(path: Path) -> set[str]:
    """Public names that a module makes itself; what it imports is not its own."""
    names: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {
                each.id
                for target in targets
                for each in ast.walk(target)
                if isinstance(each, ast.Name)
            }
    return {name for name in names if not name.startswith("_")}


MODULES = {path.stem: path for path in tree.sources("stream_app/contract")}


@pytest.mark.parametrize("module", sorted(EXPORTED))
def test_a_module_of_the_contract_exports_just_these_names(module: str) -> None:
    assert defined(MODULES[module]) == EXPORTED[module]


def test_every_module_of_the_contract_is_in_the_table() -> None:
    assert set(MODULES) == {*EXPORTED, "__init__"}
