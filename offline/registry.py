"""Versions that are kept: bundle and reference in the store, the record in MLflow.

A version's name follows from its bytes and its data, so the same training is the
same version, registered once. Aliases: `challenger` (registered last), `champion`
(announced), `previous` (the way back). MLflow moves nobody: offline/announce.py does.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import msgspec
from mlflow.entities import Metric, Param
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from offline import bundle, keys, reference
from offline.dataset import Dataset
from offline.faults import NotRegistered
from offline.settings import OfflineSettings
from offline.train import Candidate, manifest_of
from stream_app.contract import wire
from stream_app.contract.models import Alias, ChampionAnnounced, Manifest

_ANNOUNCEMENT = "announcement.json"
_JUDGED = "judged.json"
_VERSION_TAG = "version"
_HELD_TAG = "held"
_REVIEWED_TAG = "reviewed"
_REQUESTS_TAG = "requests"  # ids, parted by spaces: whom it was made for
_GATE_TAG = "gate"  # `PASSED`, or why it did not
_AGAINST_TAG = "gate_against"  # the champion it was judged against; empty: the naive price
_VERDICT = "gate.json"
_TAG_LETTERS_MAX = 4_000  # MLflow takes 5,000; all of it is in the papers
_SQLITE = "sqlite:///"
PASSED = "passed"


class Trained(NamedTuple):
    """A version that was made for a request, and why the audit holds it."""

    version: str
    held: str | None


class Registry:
    """One market's versions."""

    def __init__(self, settings: OfflineSettings, market: str) -> None:
        for noisy in ("mlflow", "alembic"):
            logging.getLogger(noisy).setLevel(logging.ERROR)
        if settings.mlflow_tracking_uri.startswith(_SQLITE):
            file = Path(settings.mlflow_tracking_uri.removeprefix(_SQLITE))
            file.parent.mkdir(parents=True, exist_ok=True)
        self._settings = settings
        self._name = f"housing-{market}"
        self._client = MlflowClient(settings.mlflow_tracking_uri)

    def register(
        self,
        candidate: Candidate,
        dataset: Dataset,
        held: str | None = None,
        papers: Mapping[str, str] = MappingProxyType({}),
    ) -> ChampionAnnounced:
        """Keep a candidate, signed, as the challenger. The same again is the one there is.

        `held` says why it is not to be served without a review; `papers` are kept with
        the version, text by file name.
        """
        manifest = candidate.champion.manifest
        found = self._find(manifest.version)
        known = None if found is None else self._announcement(found)
        if known is not None:
            manifest = known.manifest
        # Also of a known version: the store may have been emptied, or the key be a new one.
        announced = self._keep(candidate, manifest, dataset)
        if found is None:
            self._record(announced)
        elif announced != known:
            self._client.log_text(found.run_id, wire.encode(announced).decode(), _ANNOUNCEMENT)
        judged = self._keep_judged(candidate, manifest.made_ms)
        self._file(manifest.version, held, {**papers, _JUDGED: wire.encode(judged).decode()})
        self.set_alias(Alias.CHALLENGER, manifest.version)
        return announced

    def announcement(self, version: str) -> ChampionAnnounced:
        """What was signed when the version was registered.

        Raises
        ------
        NotRegistered : there is no such version
        """
        return self._announcement(self._need(version))

    def judged(self, version: str) -> ChampionAnnounced:
        """The same training without its holdout, signed: what may be judged on the holdout.

        Raises
        ------
        NotRegistered : there is no such version, or it was registered before these were kept
        """
        text = self.paper(version, _JUDGED)
        if text is None:
            raise NotRegistered(f"{version} has no fit without its holdout; train it anew")
        return _read(text)

    def paper(self, version: str, name: str) -> str | None:
        """A text that was kept with the version; None when there is none of that name.

        Raises
        ------
        NotRegistered : there is no such version
        """
        run_id = self._need(version).run_id
        if name not in {file.path for file in self._client.list_artifacts(run_id)}:
            return None
        return Path(self._client.download_artifacts(run_id, name)).read_text("utf-8")

    def alias(self, alias: str) -> str | None:
        """The version that the alias names; None when it names none."""
        try:
            found = self._client.get_model_version_by_alias(self._name, alias)
        except MlflowException:
            return None
        return str(found.tags[_VERSION_TAG])

    def set_alias(self, alias: str, version: str) -> None:
        """Let the alias name this version.

        Raises
        ------
        NotRegistered : there is no such version
        """
        number = self._need(version).version
        self._client.set_registered_model_alias(self._name, alias, number)

    def held(self, version: str) -> str | None:
        """Why the version is not to be served without a review; None once it was reviewed.

        Raises
        ------
        NotRegistered : there is no such version
        """
        tags = self._need(version).tags
        return None if _REVIEWED_TAG in tags else tags.get(_HELD_TAG)

    def review(self, version: str, reason: str) -> None:
        """Note that somebody looked at a held version and lets it be served.

        Raises
        ------
        NotRegistered : there is no such version
        """
        number = self._need(version).version
        self._client.set_model_version_tag(self._name, number, _REVIEWED_TAG, reason)

    def keep_verdict(self, version: str, said: str, against: str | None, paper: str) -> None:
        """Keep what the gate said: `PASSED` or why not, against which champion, and all of it.

        Raises
        ------
        NotRegistered : there is no such version
        """
        found = self._need(version)
        self._client.log_text(found.run_id, paper, _VERDICT)
        for tag, text in ((_GATE_TAG, said), (_AGAINST_TAG, against or "")):
            self._client.set_model_version_tag(
                self._name, found.version, tag, text[:_TAG_LETTERS_MAX]
            )

    def gate_of(self, version: str, champion: str | None) -> str | None:
        """`PASSED` if the version passed the gate against this champion, else why not.

        None when it was never judged. A champion that came since was not judged against.

        Raises
        ------
        NotRegistered : there is no such version
        """
        tags = self._need(version).tags
        said: str | None = tags.get(_GATE_TAG)
        against = tags.get(_AGAINST_TAG) or None
        if said == PASSED and against != champion:
            return f"judged against {against or 'no champion'}, {champion or 'none'} serves now"
        return said

    def of_request(self, request_id: str) -> "Trained | None":
        """What was registered for a request; None: nothing was, yet."""
        found = self._client.search_model_versions(f"name='{self._name}'")
        for version in found:
            if request_id in version.tags.get(_REQUESTS_TAG, "").split():
                name = version.tags[_VERSION_TAG]
                return Trained(name, self.held(name))
        return None

    def note_request(self, version: str, request_id: str) -> None:
        """Note that the version was made for the request; the same may be for several.

        Raises
        ------
        NotRegistered : there is no such version
        """
        found = self._need(version)
        known = found.tags.get(_REQUESTS_TAG, "")
        self._client.set_model_version_tag(
            self._name, found.version, _REQUESTS_TAG, f"{known} {request_id}".strip()
        )

    def _file(self, version: str, held: str | None, papers: Mapping[str, str]) -> None:
        found = self._need(version)
        for name, text in papers.items():
            self._client.log_text(found.run_id, text, name)
        if held is not None:
            self._client.set_model_version_tag(
                self._name, found.version, _HELD_TAG, held[:_TAG_LETTERS_MAX]
            )

    def _keep(
        self, candidate: Candidate, manifest: Manifest, dataset: Dataset
    ) -> ChampionAnnounced:
        drift = reference.sample(dataset, candidate.holdout, candidate.holdout_log)
        found = bundle.put(Path(self._settings.model_store), drift, ".parquet")
        return self._sign(
            candidate.bundle, msgspec.structs.replace(manifest, reference_sha256=found)
        )

    def _keep_judged(self, candidate: Candidate, made_ms: int) -> ChampionAnnounced:
        """Without errors for an interval to start from: those of the holdout would be a leak."""
        dumped = bundle.dump(candidate.judged.regressor)
        seed = candidate.champion.manifest.seed
        return self._sign(
            dumped, manifest_of(candidate.older, candidate.judged, dumped, seed, made_ms)
        )

    def _sign(self, dumped: bytes, manifest: Manifest) -> ChampionAnnounced:
        bundle_hash = bundle.put(Path(self._settings.model_store), dumped, ".skops")
        key = keys.signing_key(Path(self._settings.signing_key_file))
        return ChampionAnnounced(
            manifest=manifest,
            signature=key.sign(wire.manifest_bytes(manifest)).hex(),
            address=f"{bundle_hash}.skops",
        )

    def _record(self, announced: ChampionAnnounced) -> None:
        manifest = announced.manifest
        with self._run(manifest) as run_id:
            self._client.log_batch(
                run_id,
                [
                    Metric(name, value, manifest.made_ms, 0)
                    for name, value in manifest.metrics.items()
                ],
                [Param(name, value) for name, value in _params(manifest).items()],
            )
            self._client.log_text(run_id, wire.encode(announced).decode(), _ANNOUNCEMENT)
            uri = self._client.get_run(run_id).info.artifact_uri
        self._client.create_model_version(
            self._name, uri, run_id, tags={_VERSION_TAG: manifest.version}
        )

    @contextmanager
    def _run(self, manifest: Manifest) -> Iterator[str]:
        experiment = self._client.get_experiment_by_name(self._name)
        if experiment is None:
            folder = Path(self._settings.mlflow_artifacts).absolute()
            number = self._client.create_experiment(self._name, folder.as_uri())
            self._client.create_registered_model(self._name)
        else:
            number = experiment.experiment_id
        run_id = self._client.create_run(number, run_name=manifest.version).info.run_id
        try:
            yield run_id
        except BaseException:
            self._client.set_terminated(run_id, "FAILED")
            raise
        self._client.set_terminated(run_id)

    def _find(self, version: str) -> ModelVersion | None:
        found = self._client.search_model_versions(f"name='{self._name}'")
        return next((v for v in found if v.tags.get(_VERSION_TAG) == version), None)

    def _need(self, version: str) -> ModelVersion:
        found = self._find(version)
        if found is None:
            raise NotRegistered(f"{self._name} has no version {version!r}")
        return found

    def _announcement(self, found: ModelVersion) -> ChampionAnnounced:
        path = self._client.download_artifacts(found.run_id, _ANNOUNCEMENT)
        return _read(Path(path).read_text("utf-8"))


def _read(text: str) -> ChampionAnnounced:
    message = wire.decode_model_message(text.encode())
    assert isinstance(message, ChampionAnnounced)  # noqa: S101 - written by register
    return message


def _params(manifest: Manifest) -> dict[str, str]:
    shown = ("market", "seed", "training_rows", "data_sha256", "bundle_sha256", "feature_set")
    params = {name: str(getattr(manifest, name)) for name in shown}
    return params | {f"{name}_version": v for name, v in manifest.library_versions.items()}
