"""Who may ask for what over HTTP, how one proves who one is, and what attackers try."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from radfuse.services.access_log import AccessEntry, AccessQuery
from radfuse.services.roles import Role
from radfuse.services.users import Changes, NewUser
from radfuse.services.users import credentials as credentials_module
from radfuse.web import Entrance
from radfuse.web import authentication as authentication_module
from radfuse.web.policy import POLICY, PUBLIC, Row
from tests.web.api.conftest import RunningApi, api_in

PASSWORD = "correct horse battery"  # noqa: S105
ADMINISTRATOR, OPERATOR, READER = "anna", "olga", "rita"
ROLES = {ADMINISTRATOR: Role.ADMINISTRATOR, OPERATOR: Role.OPERATOR, READER: Role.READER}
COOKIE = "radfuse_session"


@dataclass(frozen=True)
class Secured:
    """The application with a user of each role, and a token of each."""

    api: RunningApi
    tokens: dict[str, str]

    @property
    def url(self) -> str:
        return self.api.url

    def bearer(self, user: str) -> dict[str, str]:
        """The headers of a program of this user."""
        return {"Authorization": f"Bearer {self.tokens[user]}"}

    @contextlib.contextmanager
    def person(self, user: str, password: str = PASSWORD) -> Iterator[httpx.Client]:
        """A browser in which this user has logged in."""
        with httpx.Client(base_url=self.url, timeout=30) as client:
            answer = client.post("/api/session", json={"name": user, "password": password})
            assert answer.status_code == 200, answer.text
            yield client

    def log(self, **query: str) -> list[AccessEntry]:
        """Lines of the access log, the newest first."""
        self.api.desk.access_log.flush()
        return self.api.desk.access_log.page(AccessQuery(**query))[0]  # type: ignore[arg-type]


@contextlib.contextmanager
def secured_in(folder: Path, entrance: Entrance | None = None) -> Iterator[Secured]:
    with api_in(folder, entrance) as api:
        tokens = {}
        for name, role in ROLES.items():
            api.desk.accounts.users.add(NewUser(name, role, PASSWORD, f"{name.title()} Berg"))
            tokens[name] = api.desk.accounts.tokens.add(name, "test", role)[1]
        api.desk.accounts.credentials.forget()
        yield Secured(api, tokens)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """Shared by the tests of this module: what they change they put back, and nobody fails to log in."""
    with secured_in(tmp_path_factory.mktemp("secured") / "data") as running:
        yield running


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Secured]:
    """For tests that change users, or fail to log in."""
    with secured_in(tmp_path / "data") as running:
        yield running


# --- without users -----------------------------------------------------------------------------------


def test_without_users_everyone_here_is_the_administrator(api: RunningApi) -> None:
    session = api.get("/session")
    assert (session["user"], session["role"], session["mode"]) == ("local", "administrator", "single-user")
    assert api.get("/users") == []
    assert "nobody needs to log in" in api.problem("POST", "/session", {"name": "a", "password": "b"})["detail"]
    assert api.problem("POST", "/tokens", {"name": "a", "role": "reader"})["status"] == 409


def test_with_the_first_user_everybody_logs_in(api: RunningApi) -> None:
    new = {"name": "ben", "role": "reader", "password": PASSWORD}
    assert api.problem("POST", "/users", new)["setting"] == "role"
    api.send("POST", "/users", new | {"role": "administrator"}, 201)
    for path in ("/session", "/users", "/status", "/openapi.json"):
        assert api.problem("GET", path)["status"] == 401
    assert api.http.get(f"{api.url}/dicom-web/studies").status_code == 401


def test_beyond_this_machine_nobody_is_trusted_without_users(tmp_path: Path) -> None:
    with api_in(tmp_path / "data", is_local=False) as api:
        assert "radfuse users add" in api.problem("GET", "/session")["detail"]
        assert api.http.get(f"{api.url}/healthz").status_code == 200


# --- every route, every role -------------------------------------------------------------------------


def asked(secured: Secured, row: Row, headers: dict[str, str]) -> int:
    """The status of a request for a row's route, with nothing in it that could be done."""
    path = re.sub(r"\{[^}]*\}", "0", row.path)
    with secured.api.http.stream(row.method, secured.url + path, headers=headers, json={"x": 1}) as answer:
        return answer.status_code


ROWS = [row for row in POLICY if row.method != "*" and "{file" not in row.path]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.path}")
def test_a_route_is_open_to_its_roles_only(secured: Secured, row: Row) -> None:
    for name, role in ROLES.items():
        status = asked(secured, row, secured.bearer(name))
        if row.needs is PUBLIC or role.includes(row.needs):
            assert status not in (401, 403), (name, status)
        else:
            assert status == 403, (name, status)
    assert (asked(secured, row, {}) == 401) == (row.needs is not PUBLIC)


def test_a_refusal_says_what_is_needed(secured: Secured) -> None:
    answer = secured.api.http.get(f"{secured.url}/api/users", headers=secured.bearer(READER))
    assert answer.status_code == 403
    assert answer.json()["detail"] == "this needs an administrator: ask one to do it, or to give you that role"


# --- tokens ------------------------------------------------------------------------------------------


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.mark.parametrize("path", ["/dicom-web/studies", "/api/status", "/metrics"])
def test_a_token_opens_every_door(secured: Secured, path: str) -> None:
    token = secured.tokens[READER]
    for headers in (
        secured.bearer(READER),
        basic(READER, token),
        basic("", token),
        {"Authorization": f"bEARER  {token}"},
    ):
        assert secured.api.http.get(secured.url + path, headers=headers).status_code == 200, headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer rf_" + "x" * 43},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer " + "rf_" * 10_000},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe").decode()},
        {"Authorization": "Digest x"},
        {"Authorization": ""},
        basic(READER, PASSWORD),
        {"Cookie": f"{COOKIE}="},
        {"Cookie": f"{COOKIE}=nonsense"},
        {"Cookie": ";;;=" * 1000},
        {"X-API-Key": "x"},
    ],
    ids=lambda headers: str(headers)[:50],
)
def test_what_proves_nothing_is_refused(secured: Secured, headers: dict[str, str]) -> None:
    answer = secured.api.http.get(f"{secured.url}/dicom-web/studies", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_token_is_no_session_and_a_session_no_token(secured: Secured) -> None:
    url = f"{secured.url}/api/session"
    assert httpx.get(url, headers={"Cookie": f"{COOKIE}={secured.tokens[READER]}"}).status_code == 401
    with secured.person(READER) as rita:
        secret = rita.cookies[COOKIE]
    assert httpx.get(url, headers={"Authorization": f"Bearer {secret}"}).status_code == 401


@pytest.mark.parametrize("name", ["token", "access_token", "authorization", "api_key", COOKIE])
def test_a_token_in_the_address_is_not_looked_at(secured: Secured, name: str) -> None:
    url = f"{secured.url}/dicom-web/studies?{name}={secured.tokens[ADMINISTRATOR]}"
    assert secured.api.http.get(url).status_code == 401


def test_programs_are_asked_for_a_password_and_pages_are_not(secured: Secured) -> None:
    url = f"{secured.url}/dicom-web/studies"
    challenges = httpx.get(url).headers.get_list("WWW-Authenticate")
    assert challenges == ['Bearer realm="Radfuse"', 'Basic realm="Radfuse", charset="UTF-8"']
    challenges = httpx.get(url, headers={"Sec-Fetch-Mode": "no-cors"}).headers.get_list("WWW-Authenticate")
    assert challenges == ['Bearer realm="Radfuse"']


# --- sessions ----------------------------------------------------------------------------------------


def test_a_session_is_a_cookie_that_no_script_reads_and_no_other_site_sends(secured: Secured) -> None:
    answer = httpx.post(f"{secured.url}/api/session", json={"name": READER, "password": PASSWORD})
    (cookie,) = answer.headers.get_list("set-cookie")
    value, *attributes = cookie.split("; ")
    assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=strict"]
    assert re.fullmatch(rf"{COOKIE}=[A-Za-z0-9_-]{{43}}", value)
    assert "Secure" not in cookie
    session = answer.json()
    assert (session["user"], session["full_name"], session["role"], session["mode"]) == (
        READER,
        "Rita Berg",
        "reader",
        "login",
    )
    assert session["expires_s"] == pytest.approx(time.time() + 12 * 3600, abs=60)


def test_behind_tls_the_cookie_is_secure(tmp_path: Path) -> None:
    with secured_in(tmp_path / "data", Entrance("https://pacs.example")) as secured:
        answer = httpx.post(f"{secured.url}/api/session", json={"name": READER, "password": PASSWORD})
        assert "Secure" in answer.headers["set-cookie"]
        assert answer.json()["is_encrypted"] is True


def test_a_session_that_was_planted_is_not_used(secured: Secured) -> None:
    """Session fixation: the cookie that a browser has before the login is worth nothing after it."""
    with secured.person(READER) as attacker, httpx.Client(base_url=secured.url) as victim:
        planted = attacker.cookies[COOKIE]
        victim.cookies.set(COOKIE, planted)
        answer = victim.post("/api/session", json={"name": OPERATOR, "password": PASSWORD})
        assert answer.status_code == 200
        assert planted not in answer.headers["set-cookie"]
        assert attacker.get("/api/session").status_code == 401


def test_after_the_logout_the_session_is_over(secured: Secured) -> None:
    with secured.person(READER) as rita:
        secret = rita.cookies[COOKIE]
        answer = rita.delete("/api/session")
        assert answer.status_code == 204
        assert f'{COOKIE}=""' in answer.headers["set-cookie"]
    assert httpx.get(f"{secured.url}/api/session", headers={"Cookie": f"{COOKIE}={secret}"}).status_code == 401
    assert httpx.delete(f"{secured.url}/api/session").status_code == 204  # and again, without one


@pytest.mark.parametrize(
    "change",
    [{"is_enabled": False}, {"role": "operator"}, {"password": "another password"}],
    ids=["disabled", "role", "password"],
)
def test_the_session_of_a_changed_user_is_over_at_once(alone: Secured, change: dict[str, object]) -> None:
    with alone.person(READER) as rita, alone.person(ADMINISTRATOR) as anna:
        assert rita.get("/api/session").status_code == 200
        assert anna.patch(f"/api/users/{READER}", json=change).status_code == 200
        assert rita.get("/api/session").status_code == 401


def test_session_and_token_of_a_removed_user_are_over(alone: Secured) -> None:
    with alone.person(READER) as rita, alone.person(ADMINISTRATOR) as anna:
        assert anna.delete(f"/api/users/{READER}").status_code == 204
        assert rita.get("/dicom-web/studies").status_code == 401
    assert httpx.get(f"{alone.url}/dicom-web/studies", headers=alone.bearer(READER)).status_code == 401


def test_live_events_end_with_the_session(alone: Secured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authentication_module, "_STILL_THERE_S", 0.0)
    from radfuse.jobs import NewJob

    with alone.person(READER) as rita, rita.stream("GET", "/api/events") as events:
        assert events.status_code == 200
        lines = events.iter_lines()
        next(lines)
        alone.api.desk.accounts.users.change(READER, Changes(is_enabled=False))
        alone.api.desk.accounts.credentials.forget()
        alone.api.desk.jobs.submit(NewJob("none", "lane", "a job that must not be told of", {}))
        assert not [line for line in lines if "must not be told of" in line]


def test_a_user_changes_the_password_and_stays(alone: Secured) -> None:
    with alone.person(READER) as rita, alone.person(READER) as elsewhere:
        change = {"old_password": "wrong password", "new_password": "a new password"}
        assert rita.put("/api/session/password", json=change).status_code == 403
        change["old_password"] = PASSWORD
        short = rita.put("/api/session/password", json=change | {"new_password": "short"})
        assert (short.status_code, short.json()["setting"]) == (400, "new_password")
        assert rita.put("/api/session/password", json=change).status_code == 204
        assert rita.get("/api/session").status_code == 200
        assert elsewhere.get("/api/session").status_code == 401
    with alone.person(READER, "a new password") as rita:
        assert rita.get("/api/session").json()["user"] == READER
    stolen = httpx.put(f"{alone.url}/api/session/password", headers=alone.bearer(READER), json=change)
    assert stolen.status_code == 403


# --- guessing ----------------------------------------------------------------------------------------


def test_wrong_passwords_are_slowed_and_then_not_looked_at(alone: Secured) -> None:
    took_s, statuses = [], []
    for _ in range(6):
        began_s = time.monotonic()
        answer = httpx.post(f"{alone.url}/api/session", json={"name": READER, "password": "wrong password"}, timeout=30)
        took_s.append(time.monotonic() - began_s)
        statuses.append(answer.status_code)
    assert statuses == [401, 401, 401, 401, 401, 429]
    assert took_s[4] > 2
    assert 1 <= int(answer.headers["Retry-After"]) <= 5
    assert "too many wrong passwords" in answer.json()["detail"]
    right = httpx.post(f"{alone.url}/api/session", json={"name": READER, "password": PASSWORD})
    assert right.status_code == 429
    with alone.person(ADMINISTRATOR) as anna:
        locked = {user["name"]: user["locked_until_s"] for user in anna.get("/api/users").json()}
    assert locked[READER] > time.time()
    assert locked[OPERATOR] is None
    entries = alone.log(action="login", outcome="refused")
    assert {entry.user for entry in entries} == {READER}
    assert sum(entry.count for entry in entries) == 7


def test_a_slowed_login_holds_up_nobody(alone: Secured) -> None:
    def guess(number: int) -> None:
        body = {"name": f"guess{number}", "password": "wrong password"}
        httpx.post(f"{alone.url}/api/session", json=body, timeout=60)

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    try:
        while any(thread.is_alive() for thread in threads):
            began_s = time.monotonic()
            assert httpx.get(f"{alone.url}/api/status", headers=alone.bearer(READER)).status_code == 200
            assert time.monotonic() - began_s < 5
    finally:
        for thread in threads:
            thread.join()


def test_names_that_nobody_has_are_not_told_from_others(alone: Secured) -> None:
    answers = [
        httpx.post(f"{alone.url}/api/session", json={"name": name, "password": "wrong password"})
        for name in (READER, "nobody", "no\r\nname", "")
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, answers[0].text)}
    assert {entry.user for entry in alone.log(action="login")} == {READER, "(unknown)"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"name": "anna"}',
        b'{"name": 5, "password": []}',
        json.dumps({"name": "anna", "password": "x" * 100_000}).encode(),
        b"name=anna&password=x",
    ],
    ids=lambda body: str(body[:20]),
)
def test_a_login_that_is_none_is_a_bad_request(secured: Secured, body: bytes) -> None:
    answer = httpx.post(f"{secured.url}/api/session", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


# --- other people's pages ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:3000"},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/session"),
        ("DELETE", "/api/session"),
        ("POST", "/api/users"),
        ("DELETE", "/api/users/rita"),
        ("PUT", "/api/settings"),
        ("POST", "/dicom-web/studies"),
    ],
)
def test_a_form_on_another_page_does_nothing(secured: Secured, method: str, path: str, headers: dict[str, str]) -> None:
    """Cross-site request forgery, with the session's cookie as if the browser had sent it."""
    with secured.person(ADMINISTRATOR) as anna:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = anna.request(method, path, content=b"name=x", headers=headers | form)
        assert answer.status_code == 403
        assert anna.get(f"/api/users?x={READER}").status_code == 200


def test_without_an_origin_a_form_is_still_not_json(secured: Secured) -> None:
    with secured.person(ADMINISTRATOR) as anna:
        new = b'{"name": "eve", "role": "administrator", "password": "a long password"}'
        for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            answer = anna.post("/api/users", content=new, headers={"Content-Type": content_type})
            assert answer.status_code == 400
        assert "eve" not in anna.get("/api/users").text


VIEWER = "https://viewer.example"


@pytest.fixture(scope="module")
def with_viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """The application as a viewer on another origin may use it."""
    entrance = Entrance(cors_origins=frozenset((VIEWER,)))
    with secured_in(tmp_path_factory.mktemp("viewer") / "data", entrance) as running:
        yield running


def test_an_allowed_page_asks_before_and_reads_with_a_token(with_viewer: Secured) -> None:
    url = f"{with_viewer.url}/dicom-web/studies"
    asks = {"Origin": VIEWER, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    before = httpx.options(url, headers=asks)
    assert before.status_code == 204
    assert before.headers["Access-Control-Allow-Origin"] == VIEWER
    assert "Authorization" in before.headers["Access-Control-Allow-Headers"]
    assert "POST" in before.headers["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Credentials" not in before.headers
    answer = httpx.get(url, headers={"Origin": VIEWER, "Sec-Fetch-Site": "cross-site"} | with_viewer.bearer(READER))
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == VIEWER
    assert answer.headers["Vary"] == "Origin"
    refused = httpx.get(url, headers={"Origin": VIEWER})
    assert refused.status_code == 401
    assert refused.headers["Access-Control-Allow-Origin"] == VIEWER


def test_an_allowed_page_has_no_use_of_a_session(with_viewer: Secured) -> None:
    with with_viewer.person(ADMINISTRATOR) as anna:
        assert anna.get("/dicom-web/studies").status_code == 200
        assert anna.get("/dicom-web/studies", headers={"Origin": VIEWER}).status_code == 401


def test_an_allowed_page_may_store_and_nothing_else(with_viewer: Secured) -> None:
    headers = {"Origin": VIEWER, "Sec-Fetch-Site": "cross-site"} | with_viewer.bearer(ADMINISTRATOR)
    stored = httpx.post(f"{with_viewer.url}/dicom-web/studies", content=b"x", headers=headers)
    assert stored.status_code == 400  # looked at
    other = httpx.post(f"{with_viewer.url}/api/users", json={}, headers=headers)
    assert other.status_code == 403
    assert "Access-Control-Allow-Origin" not in other.headers
    read = httpx.get(f"{with_viewer.url}/api/users", headers=headers)
    assert "Access-Control-Allow-Origin" not in read.headers


@pytest.mark.parametrize("origin", ["https://evil.example", "null", VIEWER + ".evil.example", VIEWER.upper(), ""])
def test_other_pages_are_not_allowed(with_viewer: Secured, origin: str) -> None:
    asks = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    answer = httpx.options(f"{with_viewer.url}/dicom-web/studies", headers=asks)
    assert answer.status_code == 401
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_behind_a_proxy_our_own_page_is_known_by_the_public_address(tmp_path: Path) -> None:
    with secured_in(tmp_path / "data", Entrance("https://pacs.example")) as secured:
        for origin, status in (
            ("https://pacs.example", 201),
            ("http://pacs.example", 403),
            ("https://evil.example", 403),
        ):
            headers = {"Origin": origin} | secured.bearer(ADMINISTRATOR)
            body = {"name": "test", "role": "reader"}
            assert httpx.post(f"{secured.url}/api/tokens", json=body, headers=headers).status_code == status


def test_the_address_of_who_asks_is_that_which_the_proxy_tells(tmp_path: Path) -> None:
    entrance = Entrance("https://pacs.example", proxies=frozenset(("127.0.0.1",)))
    with secured_in(tmp_path / "data", entrance) as secured:
        for forwarded in ("6.6.6.6, 192.0.2.9", "nonsense"):
            headers = {"X-Forwarded-For": forwarded} | secured.bearer(READER)
            httpx.get(f"{secured.url}/dicom-web/studies", headers=headers)
        assert {entry.address for entry in secured.log(action="search")} == {"192.0.2.9", "127.0.0.1"}


def test_who_is_no_proxy_is_not_believed(secured: Secured) -> None:
    headers = {"X-Forwarded-For": "203.0.113.5"} | secured.bearer(READER)
    httpx.get(f"{secured.url}/dicom-web/studies", headers=headers)
    assert "203.0.113.5" not in {entry.address for entry in secured.log()}


def test_with_a_login_the_service_may_be_called_by_any_name(secured: Secured) -> None:
    headers = {"Host": "pacs.example"} | secured.bearer(READER)
    assert httpx.get(f"{secured.url}/dicom-web/studies", headers=headers).status_code == 200


# --- users -------------------------------------------------------------------------------------------


def test_users_are_added_changed_and_removed(alone: Secured) -> None:
    with alone.person(ADMINISTRATOR) as anna:
        new = {"name": "Dora", "full_name": "Dora <b>Öz</b>", "role": "operator", "password": PASSWORD}
        made = anna.post("/api/users", json=new)
        assert made.status_code == 201
        assert made.json()["name"] == "dora"
        assert anna.post("/api/users", json=new).status_code == 409
        assert anna.patch("/api/users/dora", json={"role": "reader"}).json()["role"] == "reader"
        assert anna.patch("/api/users/nobody", json={"role": "reader"}).status_code == 404
        assert [user["name"] for user in anna.get("/api/users").json()] == ["anna", "dora", "olga", "rita"]
        assert "password" not in anna.get("/api/users").text
        assert anna.delete("/api/users/dora").status_code == 204
        assert anna.delete("/api/users/dora").status_code == 404
        for change in ({"is_enabled": False}, {"role": "reader"}):
            assert anna.patch(f"/api/users/{ADMINISTRATOR}", json=change).status_code == 409
        assert anna.delete(f"/api/users/{ADMINISTRATOR}").status_code == 409
    actions = [(entry.action, entry.subject, entry.outcome.value) for entry in alone.log(user=ADMINISTRATOR)]
    assert ("user added", "Dora (operator)", "done") in actions
    assert ("user changed", "dora: role reader", "done") in actions
    assert ("user removed", "anna", "failed") in actions


@pytest.mark.parametrize(
    ("change", "setting"),
    [
        ({"name": "a\r\nb"}, "name"),
        ({"name": "../x"}, "name"),
        ({"full_name": "a\x00"}, "full_name"),
        ({"password": "short"}, "password"),
        ({"role": "king"}, "role"),
    ],
    ids=str,
)
def test_what_no_user_can_be_is_refused_by_field(secured: Secured, change: dict[str, str], setting: str) -> None:
    new = {"name": "x", "full_name": "", "role": "reader", "password": PASSWORD} | change
    answer = httpx.post(f"{secured.url}/api/users", json=new, headers=secured.bearer(ADMINISTRATOR))
    assert (answer.status_code, answer.json()["setting"]) == (400, setting)


def test_a_made_token_is_shown_once_and_ends_when_it_is_removed(secured: Secured) -> None:
    with secured.person(OPERATOR) as olga:
        made = olga.post("/api/tokens", json={"name": "viewer", "role": "reader", "days": 30})
        assert made.status_code == 201
        secret, number = made.json()["secret"], made.json()["id"]
        assert made.json()["expires_s"] == pytest.approx(time.time() + 30 * 86_400, abs=60)
        assert secret not in olga.get("/api/tokens").text
        headers = {"Authorization": f"Bearer {secret}"}
        assert httpx.get(f"{secured.url}/dicom-web/studies", headers=headers).status_code == 200
        assert httpx.post(f"{secured.url}/dicom-web/studies", headers=headers).status_code == 403
        assert olga.post("/api/tokens", json={"name": "more", "role": "administrator"}).status_code == 403
        assert olga.get("/api/tokens?all=true").status_code == 403
        rita = httpx.delete(f"{secured.url}/api/tokens/{number}", headers=secured.bearer(READER))
        assert rita.status_code == 404
        assert olga.delete(f"/api/tokens/{number}").status_code == 204
        assert httpx.get(f"{secured.url}/dicom-web/studies", headers=headers).status_code == 401
    everybody = httpx.get(f"{secured.url}/api/tokens?all=true", headers=secured.bearer(ADMINISTRATOR)).json()
    assert {token["user"] for token in everybody} == set(ROLES)


def test_a_token_makes_none_beyond_itself(secured: Secured) -> None:
    with secured.person(ADMINISTRATOR) as anna:
        made = anna.post("/api/tokens", json={"name": "weak", "role": "reader"}).json()
        headers = {"Authorization": f"Bearer {made['secret']}"}
        more = httpx.post(f"{secured.url}/api/tokens", json={"name": "x", "role": "operator"}, headers=headers)
        assert more.status_code == 403
        anna.delete(f"/api/tokens/{made['id']}")


# --- the access log ----------------------------------------------------------------------------------


def test_dicomweb_requests_are_told_with_their_study(alone: Secured) -> None:
    url = f"{alone.url}/dicom-web/studies"
    headers = alone.bearer(READER)
    for path in (
        "?PatientName=DOE*&limit=5",
        "/1.2.3/metadata",
        "/1.2.3/metadata",
        "/1.2.3/series",
        "/not-a-uid/metadata",
    ):
        httpx.get(url + path, headers=headers)
    httpx.post(url, content=b"x", headers=alone.bearer(OPERATOR))
    httpx.post(url, content=b"x", headers=headers)
    found = [(each.user, each.action, each.study, each.subject, each.outcome.value, each.count) for each in alone.log()]
    assert sorted(found) == sorted(
        [
            (READER, "search", "", "PatientName=DOE*", "done", 1),
            (READER, "view", "1.2.3", "", "failed", 2),
            (READER, "search", "1.2.3", "", "done", 1),
            (READER, "view", "", "", "failed", 1),
            (OPERATOR, "store", "", "", "failed", 1),
            (READER, "store", "", "", "refused", 1),
        ]
    )


def test_the_log_is_read_by_page_and_filter(alone: Secured) -> None:
    with alone.person(READER) as rita, alone.person(ADMINISTRATOR) as anna:
        assert rita.get("/api/audit").status_code == 403
        rita.get("/dicom-web/studies")
        rita.delete("/api/session")
        assert rita.get("/dicom-web/studies").status_code == 401
        entries = anna.get("/api/audit", params={"user": READER}).json()["entries"]
        assert [entry["action"] for entry in entries if entry["outcome"] == "done"][-1] == "login"
        assert {entry["action"] for entry in entries} == {"login", "search", "logout", "access"}
        assert all(entry["address"] == "127.0.0.1" for entry in entries)
        assert all(re.fullmatch("[0-9a-f]{16}", entry["request"]) for entry in entries)
        first = anna.get("/api/audit", params={"limit": 1}).json()
        assert first["has_more"]
        rest = anna.get("/api/audit", params={"before": first["entries"][0]["id"]}).json()
        assert first["entries"][0]["id"] not in {entry["id"] for entry in rest["entries"]}
        refused = anna.get("/api/audit", params={"outcome": "refused"}).json()["entries"]
        assert {(entry["user"], entry["action"]) for entry in refused} == {("rita", "access"), ("", "search")}
        assert anna.get("/api/audit", params={"from_s": time.time() + 60}).json()["entries"] == []
        assert anna.get("/api/audit", params={"limit": 0}).status_code == 400


def test_a_change_is_in_the_log_when_it_is_answered(alone: Secured) -> None:
    headers = alone.bearer(ADMINISTRATOR)
    httpx.patch(f"{alone.url}/api/users/{READER}", json={"full_name": "R."}, headers=headers)
    (entry,) = alone.api.desk.access_log.page(AccessQuery(action="user changed"))[0]
    assert (entry.user, entry.subject) == (ADMINISTRATOR, "rita: name")


def test_a_header_in_a_name_stays_a_name(secured: Secured) -> None:
    headers = secured.bearer(ADMINISTRATOR) | {"X-Request-ID": "a\x01b"}
    answer = httpx.get(f"{secured.url}/api/users/x%0d%0aSet-Cookie:%20y=z", headers=headers)
    assert "set-cookie" not in answer.headers
    answer = httpx.patch(f"{secured.url}/api/users/x%0d%0aSet-Cookie:%20y=z", json={"role": "reader"}, headers=headers)
    assert answer.status_code in (400, 404)
    assert "set-cookie" not in answer.headers


def test_a_user_who_is_removed_on_the_command_line_is_out_within_seconds(
    alone: Secured, monkeypatch: pytest.MonkeyPatch
) -> None:
    from radfuse.services.users import Accounts

    monkeypatch.setattr(credentials_module, "_LOOKED_EVERY_S", 0.1)
    with alone.person(READER) as rita:
        assert rita.get("/dicom-web/studies").status_code == 200
        with contextlib.closing(Accounts.open(alone.api.folder)) as elsewhere:
            elsewhere.users.remove(READER)
        deadline = time.monotonic() + 20
        while rita.get("/dicom-web/studies").status_code == 200:
            assert time.monotonic() < deadline
            time.sleep(0.02)
