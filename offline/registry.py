"""Versions that are kept: bundle and reference in the store, the record in MLflow.

A version's name follows from its bytes and its data, so the same training is the
same version, registered once. Aliases: `challenger` (registered last), `champion`
(announced), `previous` (the way back). MLflow moves nobody: what is told on `housing.models` does (announce.py).
"""

import re
import resource
from collections.abc import Mapping
from enum import StrEnum, auto
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import msgspec
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from offline import tracking
from offline.dataset import Dataset
from offline.faults import NotRegistered, Refused
from offline.promote import PASSED, Standing
from offline.settings import OfflineSettings
from offline.train import Candidate
from offline.vault import Vault
from stream_app.contract import wire
from stream_app.contract.models import Alias, ChampionAnnounced, Manifest
from stream_app.contract.settings import CONFIG_FILE
from stream_app.core.features import NAMES
from stream_app.scoring.champion import Champion

T = TypeVar("T")
_ANNOUNCEMENT = "announcement.json"
_JUDGED = "judged.json"
_VERSION_TAG = "version"
_VERDICT = "gate.json"
_PASSWORD = re.compile(r"//[^/]*@")  # in a server's address, with the user's name
# What MLflow calls an alias that names nothing, and a market without versions.
_NOT_THERE = ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST")
_TAG_LETTERS_MAX = 4_000  # MLflow takes 5,000; all of it is in the papers


class Tag(StrEnum):
    """What is noted of a version."""

    HELD = auto()  # why the audit holds it
    REVIEWED = auto()  # why it may serve all the same
    GATE = auto()  # `PASSED`, or why it did not pass
    GATE_AGAINST = auto()  # the champion it was judged against; empty: the naive price
    RETIRED = auto()  # why
    REQUESTS = auto()  # ids, parted by spaces: whom it was made for


class Trained(NamedTuple):
    """A version that was made for a request, and why the audit holds it."""

    version: str
    held: str | None


class PaperSpoilt(Refused):
    """What was kept with a version is not what it was."""


class Registry:
    """One market's versions."""

    def __init__(self, settings: OfflineSettings, market: str) -> None:
        self.vault = Vault(settings)
        self._settings = settings
        self._market = market
        self._name = experiment_of(market)
        self._client = tracking.client(settings)

    def of_request(self, request_id: str) -> "Trained | None":
        """What was registered for a request; None: nothing was, yet."""
        found = self._client.search_model_versions(f"name='{self._name}'")
        for version in found:
            if request_id in version.tags.get(Tag.REQUESTS, "").split():
                name = version.tags[_VERSION_TAG]
                return Trained(name, self.standing(name).held)
        return None

    def note_request(self, version: str, request_id: str) -> None:
        """Note that the version was made for the request; the same may be for several.

        Raises
        ------
        NotRegistered : there is no such version
        """
        known = self._need(version).tags.get(Tag.REQUESTS, "")
        self.mark(version, Tag.REQUESTS, f"{known} {request_id}".strip())

    def of(self, market: str) -> "Registry":
        """Another market's."""
        return Registry(self._settings, market)

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

        Raises
        ------
        NotRegistered : it is there, and retired
        """
        version = candidate.champion.version
        found = self._find(version)
        if found is not None and Tag.RETIRED in found.tags:
            raise NotRegistered(f"{version} is retired: {found.tags[Tag.RETIRED]}")
        known = None if found is None else self._announcement(found)
        made_ms = (candidate.champion if known is None else known).manifest.made_ms
        # Also of a known version: the store may have been emptied, or the key be a new one.
        # What MLflow holds of it is not signed anew: somebody may have written into it.
        announced = self.vault.keep(candidate, made_ms, dataset)
        if found is None:
            self._record(announced)
        elif announced != known:
            self.attach(version, {_ANNOUNCEMENT: wire.encode(announced).decode()})
        judged = self.vault.keep_judged(candidate, made_ms)
        self.attach(version, {**papers, _JUDGED: wire.encode(judged).decode()})
        if held is not None:
            self.mark(version, Tag.HELD, held)
        self.set_alias(Alias.CHALLENGER, version)
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
        judged = self.paper_of(version, _JUDGED, ChampionAnnounced)
        if judged is None:
            raise NotRegistered(f"{version} has no fit without its holdout; train it anew")
        return judged

    def paper(self, version: str, name: str) -> str | None:
        """A text that was kept with the version; None when there is none of that name.

        Raises
        ------
        NotRegistered : there is no such version
        PaperSpoilt : it is no text
        """
        path = tracking.texts(self._settings, self._need(version).run_id) / name
        try:
            return path.read_text("utf-8") if path.is_file() else None
        except UnicodeDecodeError as error:
            raise PaperSpoilt(f"{version}: {name} was changed: {error}") from None

    def paper_of(self, version: str, name: str, kind: type[T]) -> T | None:
        """A paper as what it is a text of; None when there is none of that name.

        Raises
        ------
        NotRegistered : there is no such version
        PaperSpoilt : it is no such text
        """
        text = self.paper(version, name)
        try:
            return None if text is None else msgspec.json.decode(text, type=kind)
        except msgspec.MsgspecError as error:
            raise PaperSpoilt(f"{version}: {name} was changed: {error}") from None

    def alias(self, alias: str) -> str | None:
        """The version that the alias names; None when it names none."""
        try:
            found = self._client.get_model_version_by_alias(self._name, alias)
        except MlflowException as error:
            if error.error_code in _NOT_THERE:
                return None
            raise
        return str(found.tags[_VERSION_TAG])

    def challenger(self) -> str:
        """The version that was registered last.

        Raises
        ------
        NotRegistered : none was
        """
        version = self.alias(Alias.CHALLENGER)
        if version is None:
            looked_in = _PASSWORD.sub("//", self._settings.mlflow_tracking_uri)
            raise NotRegistered(
                f"{self._market}: nothing was trained yet in {looked_in} "
                f"(other settings: {CONFIG_FILE} names their file)"
            )
        return version

    def set_alias(self, alias: str, version: str) -> None:
        """Let the alias name this version.

        Raises
        ------
        NotRegistered : there is no such version
        """
        number = self._need(version).version
        self._client.set_registered_model_alias(self._name, alias, number)

    def aliases(self) -> dict[str, str | None]:
        """What each alias names."""
        return {alias.value: self.alias(alias) for alias in Alias}

    def versions(self) -> list[str]:
        """All versions, the one registered first in front."""
        found = self._client.search_model_versions(f"name='{self._name}'")
        return [v.tags[_VERSION_TAG] for v in sorted(found, key=lambda v: int(v.version))]

    def files(self, version: str) -> set[str]:
        """Names of what the store holds of the version.

        Raises
        ------
        NotRegistered : there is no such version
        """
        announced = self.announcement(version)
        judged = self.paper_of(version, _JUDGED, ChampionAnnounced)
        drift = announced.manifest.reference_sha256
        return {one.address for one in (announced, judged) if one is not None} | (
            {f"{drift}.parquet"} if drift else set()
        )

    def standing(self, version: str) -> Standing:
        """What is noted of the version, as far as it bears on who may serve.

        Raises
        ------
        NotRegistered : there is no such version
        """
        tags = self._need(version).tags
        return Standing(
            version,
            held=None if Tag.REVIEWED in tags else tags.get(Tag.HELD),
            retired=tags.get(Tag.RETIRED),
        )

    def reviewed(self, version: str) -> str | None:
        """Why somebody let a held version pass; None: nobody did.

        Raises
        ------
        NotRegistered : there is no such version
        """
        found: str | None = self._need(version).tags.get(Tag.REVIEWED)
        return found

    def mark(self, version: str, tag: Tag, text: str) -> None:
        """Note something of the version; the newest word holds.

        Raises
        ------
        NotRegistered : there is no such version
        """
        number = self._need(version).version
        self._client.set_model_version_tag(self._name, number, tag, text[:_TAG_LETTERS_MAX])

    def attach(self, version: str, papers: Mapping[str, str]) -> None:
        """Keep texts with the version, by file name; the newest of a name holds.

        Raises
        ------
        NotRegistered : there is no such version
        """
        run_id = self._need(version).run_id
        for name, text in papers.items():
            tracking.keep_text(self._settings, run_id, text, name)

    def keep_verdict(self, version: str, said: str, against: str | None, paper: str) -> None:
        """Keep what the gate said: `PASSED` or why not, against which champion, and all of it.

        Raises
        ------
        NotRegistered : there is no such version
        """
        self.attach(version, {_VERDICT: paper})
        self.mark(version, Tag.GATE, said)
        self.mark(version, Tag.GATE_AGAINST, against or "")

    def gate_of(self, version: str, champion: str | None) -> str | None:
        """`PASSED` if the version passed the gate against this champion, else why not.

        None when it was never judged. A champion that came since was not judged against.

        Raises
        ------
        NotRegistered : there is no such version
        """
        tags = self._need(version).tags
        said: str | None = tags.get(Tag.GATE)
        against = tags.get(Tag.GATE_AGAINST) or None
        if said == PASSED and against != champion:
            return f"judged against {against or 'no champion'}, {champion or 'none'} serves now: judge anew"
        return said

    def open(self, version: str) -> Champion:
        """The champion as a scorer will have it, checked as a scorer will check it.

        Raises
        ------
        NotRegistered : there is no such version
        ModelRefused : signature, bytes or answers are not what was registered
        """
        return self.vault.open(self.announcement(version))

    def features_read(self, version: str) -> tuple[str, ...]:
        """The features that some tree of it is split on.

        Raises
        ------
        NotRegistered, ModelRefused : as `open`
        """
        used = self.open(version).used
        return tuple(name for name, is_read in zip(NAMES, used, strict=True) if is_read)

    def genuine(self, version: str) -> ChampionAnnounced:
        """What was registered, if manifest and bundle are still those that were signed.

        Raises
        ------
        NotRegistered : there is no such version
        ModelRefused : signature or bytes are not what was registered
        """
        announced = self.announcement(version)
        self.vault.verify(announced)
        return announced

    def _record(self, announced: ChampionAnnounced) -> None:
        manifest = announced.manifest
        with tracking.run(self._settings, self._name, manifest.version) as run:
            run.log(_params(manifest), manifest.metrics | _spent())
            run.log_text(wire.encode(announced).decode(), _ANNOUNCEMENT)
        uri = self._client.get_run(run.run_id).info.artifact_uri
        if not self._client.search_registered_models(f"name='{self._name}'"):
            self._client.create_registered_model(self._name)
        self._client.create_model_version(
            self._name, uri, run.run_id, tags={_VERSION_TAG: manifest.version}
        )

    def _find(self, version: str) -> ModelVersion | None:
        found = self._client.search_model_versions(f"name='{self._name}'")
        return next((v for v in found if v.tags.get(_VERSION_TAG) == version), None)

    def _need(self, version: str) -> ModelVersion:
        found = self._find(version)
        if found is None:
            raise NotRegistered(f"{self._name} has no version {version!r}")
        return found

    def _announcement(self, found: ModelVersion) -> ChampionAnnounced:
        version = found.tags[_VERSION_TAG]
        announced = self.paper_of(version, _ANNOUNCEMENT, ChampionAnnounced)
        if announced is None:
            raise PaperSpoilt(f"{version}: {_ANNOUNCEMENT} is not there")
        return announced


def experiment_of(market: str) -> str:
    """MLflow's name for a market's trainings and for its versions."""
    return f"housing-{market}"


def _spent() -> dict[str, float]:
    """What this process has taken so far: reading the log, training, judging."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    return {"cpu_s": own.ru_utime + own.ru_stime, "peak_memory_mb": own.ru_maxrss / 1024}


def _params(manifest: Manifest) -> dict[str, str]:
    shown = ("market", "seed", "training_rows", "data_sha256", "bundle_sha256", "feature_set")
    params = {name: str(getattr(manifest, name)) for name in shown}
    return params | {f"{name}_version": v for name, v in manifest.library_versions.items()}
