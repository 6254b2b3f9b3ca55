"""Who may come in, and what each of them sees and may do."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from radfuse.archive import Archive, ArchiveSettings
from radfuse.services.roles import Role
from radfuse.services.users import Accounts, NewUser
from tests.support.generate import STUDY_UID, GeneratedSet
from tests.support.servers import running_node
from tests.walks.conftest import Console, Walker, url_of
from tests.web.conftest import keep

pytestmark = pytest.mark.slow

PASSWORD = "correct horse battery"  # noqa: S105
ROLES = {"anna": "administrator", "olga": "operator", "rita": "reader"}
_DELETE = f"""async () => {{
    const body = JSON.stringify({{ studies: ["{STUDY_UID}"] }});
    const headers = {{ "Content-Type": "application/json" }};
    return (await fetch("/api/deletions", {{ method: "POST", headers, body }})).status;
}}"""


@pytest.fixture(scope="module")
def console(
    tmp_path_factory: pytest.TempPathFactory, built: None, browser: Browser, generated_set: GeneratedSet
) -> Iterator[Console]:
    """A service with a study and a user of each role."""
    data = tmp_path_factory.mktemp("console") / "data"
    data.mkdir()
    with contextlib.closing(Accounts.open(data)) as accounts:
        for name, role in ROLES.items():
            accounts.users.add(NewUser(name, Role(role), PASSWORD, f"{name.title()} Berg"))
    with Archive(ArchiveSettings(data)) as archive:
        for path in generated_set.files:
            keep(archive, path)
    with running_node(data, "--http-port", "0") as node:
        yield Console(node, url_of(node), browser)


def log_in(walker: Walker, name: str, password: str = PASSWORD) -> None:
    """Fill in the login page."""
    walker.page.get_by_role("textbox", name="Name").fill(name)
    walker.page.get_by_label("Password", exact=True).fill(password)
    walker.button("Log in").click()


def pages_of(walker: Walker) -> set[str]:
    """What the rail leads to."""
    links = walker.page.get_by_role("navigation", name="Pages").get_by_role("link").all()
    return {(link.get_attribute("aria-label") or "").partition(",")[0] for link in links}


def test_a_wrong_password_is_told_and_the_right_one_leads_where_one_wanted_to_go(walker: Walker) -> None:
    walker.go("/jobs")
    expect(walker.page).to_have_url(re.compile("/login$"))
    log_in(walker, "olga", "wrong horse battery")
    expect(walker.page.get_by_role("alert")).to_contain_text("The name or the password is wrong.")
    log_in(walker, "olga")
    expect(walker.page.get_by_role("heading", level=1, name="Jobs")).to_be_visible()
    expect(walker.page).to_have_url(re.compile("/jobs$"))
    assert "radfuse_session" not in walker.page.evaluate("document.cookie")


def test_after_logging_out_nothing_is_shown(walker: Walker) -> None:
    walker.go("/")
    log_in(walker, "olga")
    expect(walker.row("TEST, Generated")).to_be_visible()
    walker.page.get_by_role("link", name="Jobs").click()
    expect(walker.page.get_by_role("heading", level=1, name="Jobs")).to_be_visible()
    walker.button("Olga Berg: menu").click()
    walker.page.get_by_role("menuitem", name="Log out").click()
    expect(walker.button("Log in")).to_be_visible()
    walker.page.go_back()
    expect(walker.button("Log in")).to_be_visible()
    assert "Generated" not in walker.page.content()


def test_a_reader_reads_and_nothing_else(walker: Walker) -> None:
    walker.go("/")
    log_in(walker, "rita")
    walker.row("TEST, Generated").click()
    expect(walker.page.get_by_role("complementary").get_by_role("heading", name="TEST, Generated")).to_be_visible()
    for action in ("Delete", "Upload", re.compile("^Send")):
        expect(walker.button(action)).to_have_count(0)
    assert pages_of(walker) == {"Studies", "Jobs", "Peers", "Status"}
    assert walker.page.evaluate(_DELETE) == 403
    walker.page.goto("/users")
    expect(walker.page.get_by_role("heading", level=1)).not_to_have_text("Users")
    walker.page.goto("/settings")
    walker.sees(re.compile("needs an administrator|administrator", re.IGNORECASE))


def test_an_operator_sends_and_deletes_but_administers_nothing(walker: Walker) -> None:
    walker.go("/")
    log_in(walker, "olga")
    walker.row("TEST, Generated").click()
    expect(walker.button("Delete")).to_be_visible()
    expect(walker.button(re.compile("^Send"))).to_be_visible()
    assert pages_of(walker) == {"Studies", "Query", "Jobs", "Peers", "Rules", "Status"}
    walker.go("/peers")
    expect(walker.button("Add peer")).to_have_count(0)


def test_a_token_made_on_the_page_lets_a_program_in(console: Console, walker: Walker, tmp_path: Path) -> None:
    walker.go("/users?tab=tokens")
    log_in(walker, "anna")
    walker.button("New token").click()
    form = walker.page.get_by_role("dialog", name="New token")
    form.get_by_role("textbox", name="What is it for?").fill("nightly script")
    form.get_by_role("button", name="Make it").click()
    secret = walker.page.get_by_text(re.compile(r"^rf_\S+$")).inner_text()
    studies = f"{console.url}/dicom-web/studies"
    assert httpx.get(studies).status_code == 401
    answer = httpx.get(studies, headers={"Authorization": f"Bearer {secret}"})
    assert [study["0020000D"]["Value"] for study in answer.json()] == [[STUDY_UID]]
    # The token is a reader's, whoever made it.
    headers = {"Authorization": f"Bearer {secret}"}
    assert httpx.get(f"{console.url}/api/users", headers=headers).status_code == 403
    command = walker.page.get_by_text(re.compile("^curl ")).inner_text()
    said = subprocess.run(["bash", "-c", f"{command} --silent"], capture_output=True, text=True, check=True).stdout
    assert STUDY_UID in said
    walker.button("I have copied it").click()
    expect(walker.page.get_by_text(re.compile("rf_"))).to_have_count(0)
    assert secret not in walker.page.content()


def test_who_did_what_is_shown_to_administrators(walker: Walker) -> None:
    walker.go("/")
    log_in(walker, "rita", "let me in please")
    expect(walker.page.get_by_role("alert")).to_be_visible()
    log_in(walker, "anna")
    expect(walker.row("TEST, Generated")).to_be_visible()
    walker.row("TEST, Generated").click()
    panel = walker.page.get_by_role("complementary")
    expect(panel.get_by_role("button", name=re.compile("^MR MR series"))).to_be_visible()  # the server was asked
    walker.go("/audit")
    lines = walker.page.get_by_role("table").get_by_role("row")
    expect(lines.filter(has_text="rita").filter(has_text="Tried to log in").first).to_contain_text("Refused")
    expect(lines.filter(has_text="anna").filter(has_text="Viewed a study").first).to_contain_text(STUDY_UID)


def test_the_first_user_is_made_on_the_page_and_closes_the_door(
    tmp_path: Path, built: None, browser: Browser, generated_set: GeneratedSet
) -> None:
    with running_node(tmp_path / "data", "--http-port", "0") as node:
        console = Console(node, url_of(node), browser)
        with console.page() as walker:
            walker.go("/users")
            walker.button("Add the first user").click()
            form = walker.page.get_by_role("dialog", name="Add the first user")
            form.get_by_role("textbox", name=re.compile("^Name")).fill("anna")
            form.get_by_label(re.compile(r"^Password( \*)?$")).fill(PASSWORD)
            form.get_by_role("button", name="Add and go to login").click()
            expect(walker.button("Log in")).to_be_visible()
            assert httpx.get(f"{console.url}/api/studies").status_code == 401
            log_in(walker, "anna")
            expect(walker.page.get_by_role("heading", level=1)).to_be_visible()
