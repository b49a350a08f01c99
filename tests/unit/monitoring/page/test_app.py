"""Who is let in, what is shown, what a button writes. No broker, no clock, no archive."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from litestar.testing import TestClient
from msgspec.structs import replace

from monitoring.broker import NoBroker
from monitoring.page import app, guard, measure
from monitoring.page.app import Doors
from monitoring.page.known import Known, Places, Reader
from monitoring.page.reports import Quality, Report, Rows
from monitoring.rollup_store import Work
from stream_app.contract.alerts import (
    AlertAcknowledged,
    AnyAlertMessage,
    ApprovalGiven,
    RequestStatus,
    RetrainRequested,
    Severity,
)
from stream_app.contract.archive import ALL_MARKETS
from stream_app.contract.settings import BadSettings, Secret
from stream_app.contract.spans import DAY_MS
from tests import messages
from tests.builders import MARKET
from tests.unit.monitoring.page import states
from tests.unit.monitoring.page.states import WALL_MS

EVERYWHERE = "0.0.0.0"  # noqa: S104 - is refused
TOKEN = "correct horse battery"
HOSTILE = "<script>alert(1)</script>\"' onload=x {{7*7}}"
ASKED = messages.retrain_requested(market=MARKET, reasons=(HOSTILE,), requested_by=HOSTILE)
WAITS = messages.answered(
    RequestStatus.WAITING, request_id=ASKED.request_id, market=MARKET, version=HOSTILE
)
ALERT = messages.alert(segment=HOSTILE, summary=HOSTILE, severity=Severity.CRITICAL)
DECIDED = messages.decision(reasons=(HOSTILE,), decided_ms=WALL_MS)
MODEL = messages.champion(manifest=messages.manifest(version="v1"))
ALIAS = messages.alias(version="v1", reason=HOSTILE)


class Told(list[AnyAlertMessage]):
    """Takes the place of the topic; a broken one takes nothing."""

    broken = False

    def take(self, message: AnyAlertMessage) -> None:
        if self.broken:
            raise NoBroker("nobody answers")
        self.append(message)


class Page:
    """The app as a browser sees it."""

    def __init__(self, client: TestClient, told: Told) -> None:  # type: ignore[type-arg]
        self.client, self.told = client, told

    def press(self, path: str, **form: str) -> str:
        """Open the confirmation page and send its form, filled in."""
        opened = self.client.get(path).text
        (token,) = re.findall(r'name="_csrf_token" value="([^"]+)"', opened)
        subject = re.findall(r'name="subject" value="([^"]*)"', opened)[0]
        sent = {"_csrf_token": token, "subject": subject, **form}
        return self.client.post(path.partition("?")[0], data=sent).text


def browser(
    known: Known | None, root: Path, token: str = "", names: tuple[str, ...] = ("ops.example",)
) -> Iterator[Page]:
    reader = Reader(Places(root, root, "housing"), lambda: WALL_MS)
    reader.known = known
    told = Told()
    made = app.create(reader, told.take, Doors(Secret(token), frozenset(names)), lambda: WALL_MS)
    with TestClient(made, base_url="http://127.0.0.1:8770") as client:
        yield Page(client, told)


@pytest.fixture(scope="module")
def state() -> Known:
    return states.known(states.days(400), [ASKED, WAITS, ALERT, DECIDED], [MODEL, ALIAS])


@pytest.fixture(scope="module")
def shared(state: Known, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    yield from browser(state, tmp_path_factory.mktemp("page"))


@pytest.fixture
def page(shared: Page) -> Page:
    shared.told.clear()
    shared.told.broken = False
    return shared


@pytest.fixture(scope="module")
def guarded(state: Known, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    yield from browser(state, tmp_path_factory.mktemp("guarded"), TOKEN)


def test_the_first_line_is_the_verdict(page: Page) -> None:
    text = page.client.get(f"/{MARKET}").text

    assert re.search(r'<h1 class="verdict bad">King County: price level', text)
    assert text.index("<h1") < text.index("<nav")


def test_the_only_market_with_answers_is_opened_at_once(page: Page) -> None:
    assert page.client.get("/", follow_redirects=False).headers["location"] == f"/{MARKET}"


def test_a_market_that_never_answered_is_unknown_and_still_has_its_page(page: Page) -> None:
    text = page.client.get("/hdb").text

    assert "unknown: no price of HDB" in text


@pytest.mark.parametrize("path", [f"/{MARKET}", f"/act/approve/{MARKET}?subject=<script>"])
def test_what_others_wrote_is_text_and_never_markup(page: Page, path: str) -> None:
    text = page.client.get(path).text

    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "onload=x" not in re.sub(r"&#34;&#39; onload=x", "", text)
    assert "49" not in re.findall(r"onload=x (\S+)", text)


def test_what_labels_a_height_stands_beside_the_lines_and_not_on_them(page: Page) -> None:
    places = re.findall(r'class="tick" x="([^"]+)"', page.client.get(f"/{MARKET}").text)
    assert max(map(float, places)) < 0


def test_pages_forbid_scripts_and_frames(page: Page) -> None:
    for path in (f"/{MARKET}", "/nowhere", f"/api/{MARKET}/verdict.json"):
        policy = page.client.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script" not in policy
        assert "frame-ancestors 'none'" in policy


def test_texts_are_cut_on_the_page_and_whole_for_programs(tmp_path: Path) -> None:
    long = "x" * 5_000
    known = states.known(states.days(40), [replace(DECIDED, reasons=(long,))])
    for page in browser(known, tmp_path):
        assert long not in page.client.get(f"/{MARKET}").text
        assert long in page.client.get(f"/api/{MARKET}/decisions.json").text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8770", 200),
        ("[::1]:8770", 200),
        ("localhost", 200),
        ("OPS.example:443", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
    ],
)
def test_only_names_that_nobody_can_point_here_are_answered(
    page: Page, host: str, status: int
) -> None:
    assert page.client.get(f"/{MARKET}", headers={"host": host}).status_code == status


def test_a_form_without_the_token_of_our_page_is_refused(page: Page) -> None:
    form = {"by": "ana", "reason": "prices rose", "subject": ""}
    foreign = {**form, "_csrf_token": "0" * 128}

    assert page.client.post(f"/act/retrain/{MARKET}", data=form).status_code == 403
    assert page.client.post(f"/act/retrain/{MARKET}", data=foreign).status_code == 403
    assert page.told == []


def test_looking_writes_nothing(page: Page) -> None:
    page.client.get(f"/act/retrain/{MARKET}?subject=&by=ana&reason=x")

    assert page.told == []


def test_a_confirmed_button_writes_one_record_with_who_pressed_it(page: Page) -> None:
    text = page.press(f"/act/retrain/{MARKET}?subject=", by="ana", reason="prices rose")

    (written,) = page.told
    assert isinstance(written, RetrainRequested)
    assert (written.market, written.requested_by, written.reasons) == (
        MARKET,
        "ana",
        ("prices rose",),
    )
    assert written.request_id in text


@pytest.mark.parametrize(("kind", "approved"), [("approve", True), ("hold", False)])
def test_a_candidate_that_waits_gets_its_word(page: Page, kind: str, approved: bool) -> None:
    path = f"/act/{kind}/{MARKET}?subject={ASKED.request_id}"
    page.press(path, by="ana", reason="looks right")

    (written,) = page.told
    assert isinstance(written, ApprovalGiven)
    assert (written.request_id, written.approved) == (ASKED.request_id, approved)


def test_an_alert_of_no_one_market_is_on_every_page_and_keeps_its_market(tmp_path: Path) -> None:
    worker = messages.alert(market=ALL_MARKETS, cause="worker unreachable")
    path = f"/act/acknowledge/{MARKET}?subject={worker.fingerprint}"
    for page in browser(states.known(states.days(40), [worker]), tmp_path):
        assert "worker unreachable" in page.client.get(f"/{MARKET}").text
        page.press(path, by="ana")
        (written,) = page.told
        assert written.market == ALL_MARKETS


def test_an_open_alert_leads_to_the_report_and_the_sales_of_its_days(tmp_path: Path) -> None:
    own = messages.alert(since_ms=(states.FIRST + 30) * DAY_MS)
    rows = Rows("archive", "2013-11-15", "2013-11-30", 900)
    report = Report(
        market=MARKET, made="2013", quality=Quality(rows), files=("quality.html",), run="kc-1"
    )
    for page in browser(states.known(states.days(40), [own], reports=[report]), tmp_path):
        (links,) = re.findall(
            r'<section id="alerts-section".*?</section>',
            page.client.get(f"/{MARKET}").text,
            re.DOTALL,
        )
    assert f"/telling/{MARKET}?from=2013-11-21" in links
    assert "/reports/kc-1/quality.html" in links


def test_loading_is_measured_with_the_token(tmp_path: Path) -> None:
    reader = Reader(Places(tmp_path, tmp_path, "housing"), lambda: WALL_MS)
    token = Secret(TOKEN)
    made = app.create(reader, Told().take, Doors(token, frozenset()), lambda: WALL_MS)
    reader.refresh = Work  # type: ignore[method-assign]
    reader.known = states.known(states.days(40))

    found = measure.measure(made, reader, token)

    views = [page.address for page in found.pages]
    assert views[:3] == [f"/{MARKET}{view}" for view in measure.VIEWS]
    assert all(page.median_s > 0 and page.kilobytes > 0 for page in found.pages)


def test_a_decision_stands_at_the_markets_own_time(tmp_path: Path) -> None:
    at_ms = (states.FIRST + 5) * DAY_MS
    decided = replace(DECIDED, market_ms=at_ms)
    for page in browser(states.known(states.days(40), [decided]), tmp_path):
        (row,) = page.client.get(f"/api/{MARKET}/decisions.json").json()["rows"]
        assert row["at"] == at_ms


def test_an_alert_is_acknowledged(page: Page) -> None:
    page.press(f"/act/acknowledge/{MARKET}?subject={ALERT.fingerprint}", by="ana")

    (written,) = page.told
    assert isinstance(written, AlertAcknowledged)


@pytest.mark.parametrize(
    ("path", "form", "words"),
    [
        (f"/act/retrain/{MARKET}?subject=", {"by": " ", "reason": "x"}, "your name is wanted"),
        (f"/act/retrain/{MARKET}?subject=", {"by": "ana"}, "a reason is wanted"),
        (f"/act/approve/{MARKET}?subject=nope", {"by": "ana"}, "nobody has asked"),
    ],
    ids=["no name", "no reason", "no such request"],
)
def test_what_cannot_be_is_said_and_not_written(
    page: Page, path: str, form: dict[str, str], words: str
) -> None:
    assert words in page.press(path, **form)
    assert page.told == []


def test_a_broker_that_does_not_answer_is_told(page: Page) -> None:
    page.told.broken = True

    text = page.press(f"/act/retrain/{MARKET}?subject=", by="ana", reason="prices rose")

    assert "nothing was written: nobody answers" in text
    assert 'value="prices rose"' in text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nowhere", 404),
        (f"/act/burn/{MARKET}", 404),
        (f"/api/{MARKET}/nothing.json", 404),
        (f"/api/{MARKET}/decisions.exe", 404),
        ("/reports/..%2f..%2fetc/passwd", 404),
        (f"/{MARKET}?window=31", 400),
        (f"/{MARKET}?to=yesterday", 400),
        (f"/{MARKET}?decisions=-1", 400),
        (f"/telling/{MARKET}?from=2014&to=x", 400),
    ],
)
def test_what_is_not_there_or_no_view_is_said(page: Page, path: str, status: int) -> None:
    assert page.client.get(path).status_code == status


def test_every_table_is_json_and_csv(page: Page) -> None:
    listed = page.client.get(f"/api/{MARKET}/index.json").json()

    assert len(listed) > 30
    for address in listed:
        assert page.client.get(address).status_code == 200


def test_the_token_opens_by_header_or_cookie_and_nothing_else_does(guarded: Page) -> None:
    client = guarded.client
    api = f"/api/{MARKET}/verdict.json"

    assert client.get(f"/{MARKET}", follow_redirects=False).headers["location"] == "/login"
    assert client.get(api).status_code == 401
    assert client.get(api, headers={"authorization": "Bearer wrong"}).status_code == 401
    assert client.get(api, headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert client.get(api, headers={"cookie": f"ops={TOKEN}"}).status_code == 401
    assert client.post(f"/act/retrain/{MARKET}", data={"by": "x"}).status_code == 403


def test_who_types_the_token_is_let_in(guarded: Page) -> None:
    (token,) = re.findall(r'name="_csrf_token" value="([^"]+)"', guarded.client.get("/login").text)
    wrong = guarded.client.post("/login", data={"_csrf_token": token, "token": "guess"})
    right = guarded.client.post(
        "/login", data={"_csrf_token": token, "token": TOKEN}, follow_redirects=False
    )

    assert "not the token" in wrong.text
    assert right.status_code == 303
    assert TOKEN not in right.headers["set-cookie"]
    assert guarded.client.get(f"/{MARKET}", follow_redirects=False).status_code == 200
    guarded.client.cookies.clear()


def test_a_browser_that_knew_the_page_before_its_restart_may_press(
    state: Known, tmp_path: Path
) -> None:
    kept: dict[str, str] = {}
    for _start in range(2):
        for page in browser(state, tmp_path):
            page.client.cookies.update(kept)
            page.press(f"/act/retrain/{MARKET}", by="ana", reason="prices rose")
            assert page.told
            kept = dict(page.client.cookies)


def test_before_the_archive_is_read_nothing_is_claimed(tmp_path: Path) -> None:
    for page in browser(None, tmp_path):
        assert page.client.get("/").status_code == 503
        assert page.client.get("/health").status_code == 503


def test_a_report_is_shown_without_reach_to_the_page(tmp_path: Path) -> None:
    run = tmp_path / "king-county-1Z"
    run.mkdir()
    (run / "drift.html").write_text("<script>1</script>")
    (run / "secret.txt").write_text("no")
    report = Report(market=MARKET, made="2015", files=("drift.html",), run=run.name)
    for page in browser(states.known(states.days(40), reports=[report]), tmp_path):
        shown = page.client.get(f"/reports/{run.name}/drift.html")
        assert shown.text == "<script>1</script>"
        assert "sandbox" in shown.headers["content-security-policy"]
        assert page.client.get(f"/reports/{run.name}/secret.txt").status_code == 404


def test_ten_thousand_windows_and_decisions_are_a_page_at_a_time(tmp_path: Path) -> None:
    decided = [replace(DECIDED, decided_ms=WALL_MS - n) for n in range(10_000)]
    known = states.known(states.days(10_000), decided)
    for page in browser(known, tmp_path):
        shown = page.client.get(f"/{MARKET}?window=7&axis=all")
        last = page.client.get(f"/{MARKET}?window=7&page=54&decisions=499").text
    assert len(shown.content) < 600_000
    assert shown.text.count("decided") + shown.text.count("most telling") < 200
    assert "1,429 windows of 7 days" in last
    assert ">newer</a>" in last


def test_written_records_are_those_of_the_contract(page: Page) -> None:
    page.press(f"/act/snooze/{MARKET}?subject={ALERT.fingerprint}", by="ana", hours="24")

    assert msgspec.to_builtins(page.told[0])["until_ms"] == WALL_MS + 24 * 3_600_000


def test_an_open_address_without_a_token_is_refused_before_anything_starts() -> None:
    for host in (EVERYWHERE, "192.0.2.7", "ops.example"):
        with pytest.raises(BadSettings, match="HOUSING_MONITORING_PAGE_TOKEN"):
            guard.checked(host, Secret(""))
    with pytest.raises(BadSettings, match="5 letters"):
        guard.checked("127.0.0.1", Secret("short"))
    guard.checked("127.0.0.1", Secret(""))
    guard.checked(EVERYWHERE, Secret(TOKEN))
