"""The addresses of the page, and who is let in. Looks at `Reader.known`; writes by `tell`.

No script runs on any page of ours, and the headers say so. A report of Evidently does need its
own: it is shown as a document of its own, which cannot reach anything here.
"""

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Litestar, MediaType, Request, Response, get, post
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import Cookie, State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath, URLEncodedBody
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import File, Redirect, Template
from litestar.template import TemplateConfig

from monitoring.broker import NoBroker
from monitoring.page import actions, charts, compose, guard, reports, tables
from monitoring.page.actions import ACTIONS, BadForm
from monitoring.page.known import Known, Reader
from monitoring.page.view import BadView, title
from monitoring.windows import BadWindow, parse
from stream_app.contract import wire
from stream_app.contract.alerts import AnyAlertMessage
from stream_app.contract.settings import Secret

STATIC = Path(__file__).with_name("static")
BODY_BYTES_MAX = 16_384
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
# Evidently's pages carry their scripts inside. In a sandbox they have no origin: no cookie of
# ours, no address of ours.
REPORT_HEADERS = {
    **HEADERS,
    "Content-Security-Policy": "sandbox allow-scripts; default-src 'none'; img-src data: blob:;"
    " font-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline' 'unsafe-eval'",
}
Tell = Callable[[AnyAlertMessage], None]
Form = URLEncodedBody[dict[str, str]]
OPEN_PATHS = ("/login", "/static/style.css", "/health")


class Doors(NamedTuple):
    """Who may enter."""

    token: Secret
    names: frozenset[str]


def create(reader: Reader, tell: Tell, doors: Doors, now_ms: Callable[[], int]) -> Litestar:
    """Build the app; nothing is opened."""
    environment = Environment(
        loader=PackageLoader("monitoring.page"), autoescape=True, undefined=StrictUndefined
    )
    environment.globals |= {
        "shown": tables.shown,
        "picture": charts.picture,
        "labels": charts.labels,
        "place": charts.place,
        "title_of": title,
    }
    return Litestar(
        route_handlers=[
            index,
            market_page,
            telling,
            confirm,
            press,
            login,
            enter,
            api,
            report,
            style,
            health,
        ],
        before_request=_let_in,
        exception_handlers={HTTPException: _told, BadView: _told, BadForm: _told, BadWindow: _told},
        csrf_config=CSRFConfig(
            secret=secrets.token_hex(32),
            # Of this start alone: one of an earlier start would be kept, and every form refused.
            cookie_name=f"csrf-{secrets.token_hex(4)}",
            cookie_httponly=True,
            cookie_samesite="strict",
        ),
        template_config=TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment)),
        response_headers=HEADERS,
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=None,
        state=State({"reader": reader, "tell": tell, "doors": doors, "now_ms": now_ms}),
    )


@get("/", sync_to_thread=False)
def index(state: State) -> Template | Redirect:
    """The first line of each market; the page itself where there is one."""
    known = _known(state)
    there = [market for market, sums in known.sums.items() if sums.axis.days]
    if len(there) == 1:
        return Redirect(f"/{there[0]}")
    lines = [(market, compose.first_line(known, market)) for market in there or known.sums]
    return _page("index.html", lines=lines)


@get("/{market:str}", sync_to_thread=False)
def market_page(state: State, request: Request[Any, Any, Any], market: FromPath[str]) -> Template:
    """The page of a market."""
    known = _of(state, market)
    return _page("market.html", **compose.page(known, market, _query(request)))


@get("/telling/{market:str}", sync_to_thread=True)
def telling(state: State, request: Request[Any, Any, Any], market: FromPath[str]) -> Template:
    """The most telling predictions of a window."""
    _of(state, market)
    query = _query(request)
    window = parse(compose.window_text(query))
    table = compose.telling(state["reader"].telling(market, window), query)
    return _page("telling.html", market=market, table=table)


@get("/act/{kind:str}/{market:str}", sync_to_thread=False)
def confirm(
    state: State, request: Request[Any, Any, Any], kind: FromPath[str], market: FromPath[str]
) -> Template:
    """Say what would be written, and ask who does it."""
    _of(state, market)
    return _form(kind, market, _query(request).get("subject", ""), {}, "")


@post("/act/{kind:str}/{market:str}", status_code=200, sync_to_thread=True)
def press(state: State, kind: FromPath[str], market: FromPath[str], data: Form) -> Template:
    """Write it, once."""
    known = _of(state, market)
    _action(kind)
    try:
        form = actions.pressed(market, data, state["now_ms"](), secrets.token_hex(4))
        message = actions.message(kind, known, form)
    except BadForm as error:
        return _form(kind, market, data.get("subject", ""), data, str(error))
    try:
        state["tell"](message)
    except NoBroker as error:
        words = f"nothing was written: {error}"
        return _form(kind, market, data.get("subject", ""), data, words)
    written = msgspec.json.format(wire.encode(message)).decode()
    return _page("done.html", market=market, action=ACTIONS[kind], written=written)


@get("/login", sync_to_thread=False)
def login() -> Template:
    """Ask for the token."""
    return _page("login.html", refused=False)


@post("/login", status_code=200, sync_to_thread=False)
def enter(state: State, data: Form) -> Template | Redirect:
    """Give the cookie to who has the token."""
    token: Secret = state["doors"].token
    if not token.text or not guard.is_token(token, data.get("token", "")):
        return _page("login.html", refused=True)
    cookie = Cookie(guard.COOKIE, value=guard.session(token), httponly=True, samesite="strict")
    return Redirect("/", status_code=303, cookies=[cookie])


@get("/api/{market:str}/{name:str}", sync_to_thread=False)
def api(
    state: State, request: Request[Any, Any, Any], market: FromPath[str], name: FromPath[str]
) -> Response[bytes]:
    """Any table of the page, as JSON or CSV; `days`: all daily figures; `verdict`: the first line."""
    known = _of(state, market)
    key, _, kind = name.rpartition(".")
    found = compose.exported(known, market, key, kind, _query(request))
    if found is None:
        raise NotFoundException(f"{key[:40]}.{kind[:10]}: see /api/{market}/index.json")
    media = "text/csv; charset=utf-8" if kind == "csv" else MediaType.JSON
    return Response(found, media_type=media)


@get("/reports/{run:str}/{name:str}", sync_to_thread=False)
def report(state: State, run: FromPath[str], name: FromPath[str]) -> File:
    """A file of an Evidently report."""
    reader: Reader = state["reader"]
    path = reports.file_of(reader.places.reports, _known(state).reports, run, name)
    if path is None or not path.is_file():
        raise NotFoundException("no such report")
    media = MediaType.HTML if name.endswith(".html") else MediaType.JSON
    return File(path, media_type=media, content_disposition_type="inline", headers=REPORT_HEADERS)


@get("/static/style.css", sync_to_thread=False)
def style() -> File:
    return File(STATIC / "style.css", media_type=MediaType.CSS, content_disposition_type="inline")


@get("/health", sync_to_thread=False)
def health(state: State) -> Response[dict[str, object]]:
    """Whether anything is known yet, and whether it is taken in."""
    known: Known | None = state["reader"].known
    fault = "the archive is being read" if known is None else known.fault
    return Response({"fault": fault or None}, status_code=503 if fault else 200)


def _let_in(request: Request[Any, Any, Any]) -> Response[Any] | None:
    """Turn away who comes under a name that is not ours, or without the token."""
    doors: Doors = request.app.state["doors"]
    if not guard.knows_host(request.headers.get("host"), doors.names):
        return Response("not a name of this page", status_code=421, media_type=MediaType.TEXT)
    if request.url.path in OPEN_PATHS:
        return None
    shown, cookie = request.headers.get("authorization"), request.cookies.get(guard.COOKIE)
    if guard.may_enter(doors.token, shown, cookie):
        return None
    if request.url.path.startswith("/api/"):
        return Response({"detail": "Authorization: Bearer <token> is wanted"}, status_code=401)
    return Redirect("/login", status_code=303)


def _told(_request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Say what was wrong with what was asked; nothing of ours."""
    status = error.status_code if isinstance(error, HTTPException) else 400
    detail = error.detail if isinstance(error, HTTPException) else str(error)
    return Response({"detail": detail}, status_code=status, headers=HEADERS)


def _known(state: State) -> Known:
    known: Known | None = state["reader"].known
    if known is None:
        words = "the archive is being read for the first time: try again in a moment"
        raise HTTPException(words, status_code=503)
    return known


def _of(state: State, market: str) -> Known:
    known = _known(state)
    if market not in known.sums:
        raise NotFoundException(f"no market {market[:40]!r}; there are {', '.join(known.sums)}")
    return known


def _action(kind: str) -> actions.Action:
    if kind not in ACTIONS:
        raise NotFoundException(f"no action {kind[:40]!r}; there are {', '.join(ACTIONS)}")
    return ACTIONS[kind]


def _query(request: Request[Any, Any, Any]) -> Mapping[str, str]:
    return {name: FromPath[str](value) for name, value in request.query_params.items()}


def _form(kind: str, market: str, subject: str, typed: Mapping[str, str], wrong: str) -> Template:
    return _page(
        "confirm.html",
        kind=kind,
        market=market,
        subject=subject,
        action=_action(kind),
        typed=typed,
        wrong=wrong,
        hours=actions.SNOOZE_H,
    )


def _page(name: str, **context: Any) -> Template:  # noqa: ANN401 - of the template
    return Template(name, context=context, media_type=MediaType.HTML)
