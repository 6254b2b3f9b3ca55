"""Takes docs/images: every page of the console, over a department's invented archive (``make screenshots``).

Needs Chromium and DCMTK's storescp. The pictures show the days before the one on which they are taken.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from radfuse.archive import Archive, ArchiveSettings
from radfuse.services.demo import STUDY_UID, add_demo_study
from scripts.department import earlier_visits, fill, visits

ROOT: Final = Path(__file__).resolve().parents[1]
IMAGES: Final = ROOT / "docs" / "images"
SIZE: Final = (1280, 800)
MOST_BYTES: Final = 150_000
PASSWORD: Final = "seven purple bicycles"  # noqa: S105
_DISCS: Final = "discs"
"""The folder of the server that may be imported from and exported to."""

_PATIENCE_MS: Final = 30_000
_CHROMIUM: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")
_RULES: Final = {
    "ct-to-research": (
        'when = "study stable"\nstable_s = 120\n[if]\nall = [\n'
        '  { attribute = "Modality", in = ["CT", "PT"] },\n'
        '  { not = { attribute = "StudyDescription", matches = "*PHANTOM*" } },\n]\n'
        '[then]\nsend = ["RESEARCH"]\n'
    ),
    "mammography-to-workstation": (
        'when = "instance"\n[if]\nattribute = "Modality"\nequals = "MG"\n[then]\nsend = ["MG-READING"]\n'
    ),
    "old-ultrasound": (
        'when = "study stable"\nenabled = false\n[if]\nattribute = "Modality"\nequals = "US"\n'
        '[then]\nsend = ["PACS1"]\nforget = { after_days = 90, committed = true }\n'
    ),
}


@dataclass(frozen=True)
class Service:
    """``radfuse serve`` while it runs."""

    url: str
    dicom_port: int


@contextlib.contextmanager
def serving(data: Path, ae_title: str, *options: str) -> Iterator[Service]:
    """The service over a data folder, which the pages call by its name alone; on free ports."""
    command = [sys.executable, "-m", "radfuse", "serve", "--data", data.name, "--ae-title", ae_title]
    command += ["--dicom-port", "0", "--http-port", "0", "--workers", "1", *options]
    process = subprocess.Popen(command, cwd=data.parent, env=environment(), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None  # noqa: S101
        line = next((line for line in process.stdout if "ready" in line), "")
        found = re.search(r"port (\d+).*web at (http://\S+?),", line)
        if found is None:
            raise SystemExit("the service did not start; the lines above say why")
        yield Service(found[2].replace("127.0.0.1", "localhost"), int(found[1]))
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def receiving(folder: Path, *options: str) -> Iterator[int]:
    """DCMTK's storescp; its port."""
    program = shutil.which("storescp", path="/usr/bin:/usr/local/bin")
    if program is None:
        raise SystemExit("storescp is not installed (apt-get install dcmtk)")
    folder.mkdir()
    port = closed_port()
    command = [program, "--output-directory", str(folder), *options, str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


def closed_port() -> int:
    """A loopback port that nothing listens on."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        number: int = server.getsockname()[1]
    return number


def environment() -> dict[str, str]:
    """That of our programs, wherever they are started: these sources, none of the settings around."""
    return {name: value for name, value in os.environ.items() if not name.startswith("RADFUSE_")} | {
        "PYTHONPATH": str(ROOT / "src")
    }


def make_certificates(data: Path) -> None:
    """An authority and the node's certificate."""
    command = [sys.executable, "-m", "radfuse", "tls", "init", "--data", str(data)]
    subprocess.run(command, env=environment(), check=True, stdout=subprocess.DEVNULL)


# --- what a department has done ------------------------------------------------------------------


class Department:
    """The service as its people have set it up and used it, by its API."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=60)

    def do(self, method: str, path: str, body: object = None) -> Any:
        """One request; the answer as JSON."""
        answer = self._http.request(method, f"/api{path}", json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def add_users(self) -> None:
        """Three people, one of each role; everything else is done by the administrator."""
        people = {
            "mhalvorsen": ("Maren Halvorsen", "administrator"),
            "tokafor": ("Tobias Okafor", "operator"),
            "lvega": ("Lucia Vega", "reader"),
        }
        for name, (full_name, role) in people.items():
            self.do("POST", "/users", {"name": name, "full_name": full_name, "role": role, "password": PASSWORD})
            if role == "administrator":
                self.do("POST", "/session", {"name": name, "password": PASSWORD})
        self.do("POST", "/tokens", {"name": "OHIF viewer", "role": "reader", "days": 365})
        self.do("POST", "/tokens", {"name": "Nightly export", "role": "operator", "days": 90})

    def add_peers(self, archive_port: int, slow_port: int) -> None:
        """Peers that answer, one that is slow and one that is off."""
        peers: tuple[tuple[str, str, int, dict[str, Any]], ...] = (
            ("PACS1", "PACS1", archive_port, {}),
            ("RESEARCH", "RESEARCH", slow_port, {"may_query": False, "may_retrieve": False}),
            ("MG-READING", "MGREAD", closed_port(), {"retries": 0, "query": False, "retrieve": False}),
            ("CT-SCANNER-2", "CT2", closed_port(), {"send": False, "query": False, "retrieve": False}),
        )
        for name, ae_title, port, more in peers:
            given = {"name": name, "ae_title": ae_title, "host": "127.0.0.1", "port": port}
            self.do("PUT", f"/peers/{name}", given | more)

    def add_rules(self) -> None:
        """What happens to what arrives."""
        for name, definition in _RULES.items():
            self.do("PUT", f"/rules/{name}", {"definition": definition})

    def add_jobs(self) -> None:
        """Sends that are done, that failed and that are under way, and a deletion that can be taken back."""
        studies = [each["StudyInstanceUID"] for each in self.do("GET", "/studies?limit=40")["studies"]]
        self.send("PACS1", studies[6:8])
        self.send("PACS1", studies[2:4])
        self.send("MG-READING", studies[10:11])
        self.do("POST", "/deletions", {"studies": studies[8:9]})
        self.send("RESEARCH", studies[0:1])
        self.send("RESEARCH", studies[4:6])
        self.settle(lambda totals: totals["done"] >= 2 and totals["failed"] >= 1 and totals["running"] >= 1)
        for study in studies[1:4]:
            self.do("GET", f"/studies/{study}")

    def add_disc(self, discs: Path) -> None:
        """A disc in a folder of the server, with one file that is lost and one that is broken."""
        target = discs / "CD-2041"
        target.mkdir(parents=True)
        where = {"form": "folder", "folder": str(discs), "path": target.name}
        self.do("POST", "/media/exports", {"profile": "STD-GEN-CD", "studies": [STUDY_UID], **where})
        self.settle(lambda _: (target / "DICOMDIR").exists())
        lost, broken, *_ = sorted(path for path in target.glob("DICOM/**/*") if path.is_file())
        lost.unlink()
        broken.write_bytes(broken.read_bytes()[:3000])

    def send(self, peer: str, studies: Sequence[str]) -> None:
        """Send studies to a peer."""
        self.do("POST", "/sends", {"peer": peer, "studies": list(studies)})

    def settle(self, is_so: Callable[[dict[str, int]], bool]) -> None:
        """Wait until the jobs are as wanted."""
        ends = time.monotonic() + 120
        while not is_so(self.do("GET", "/jobs/totals")):
            if time.monotonic() > ends:
                raise SystemExit("the jobs did not come to where they are pictured")
            time.sleep(0.2)


# --- pictures ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shot:
    """A picture: its name, where it is taken, and what is done before."""

    name: str
    path: str
    prepare: Callable[[Page], None] = lambda page: None
    schemes: tuple[str, ...] = ("dark",)


def _open_first_failed(page: Page) -> None:
    page.get_by_role("row").filter(has_text="Failed").first.click()
    page.get_by_role("complementary").get_by_role("table").wait_for()


def _search(page: Page) -> None:
    page.get_by_role("searchbox", name="Search studies").fill("ct this month")
    page.get_by_text("this month").first.wait_for()


def _query(page: Page) -> None:
    page.get_by_role("combobox", name="Peer").click()
    page.get_by_role("option", name="PACS1").click()
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_role("treegrid").get_by_role("row").nth(6).wait_for()
    page.get_by_role("button", name="Show the series").first.click()


def _test_peers(page: Page) -> None:
    page.get_by_role("button", name="Test all").click()
    page.get_by_text("What to do:").first.wait_for()
    page.get_by_text("Answers in").first.wait_for()


def _keys(page: Page) -> None:
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()


def _attributes(page: Page) -> None:
    page.get_by_role("tab", name="Attributes").click()
    page.get_by_role("textbox", name="Search attributes").fill("date")


def _export_media(page: Page) -> None:
    page.get_by_role("button", name="Export …").click()
    page.get_by_text("1 CD, ").wait_for()


def _anonymize(page: Page) -> None:
    page.get_by_role("button", name="Anonymize …").click()
    page.get_by_role("tab", name="Preview").click()
    page.get_by_role("region", name="Before and after").wait_for()


def _import_media(page: Page) -> None:
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("menuitem", name="From the server").click()
    page.get_by_role("option", name=_DISCS).click()
    page.get_by_role("option", name="CD-2041").click()
    page.get_by_role("button", name="Import this folder").click()
    page.get_by_text("Wrong with the media").wait_for()
    page.get_by_text("Show each").click()


SHOTS: Final = (
    Shot("studies", "/", schemes=("dark", "light")),
    Shot("search", "/", _search),
    Shot("study", f"/?study={STUDY_UID}", schemes=("dark", "light")),
    Shot("attributes", f"/?study={STUDY_UID}", _attributes),
    Shot("query", "/query", _query),
    Shot("jobs", "/jobs", _open_first_failed),
    Shot("peers", "/peers", _test_peers),
    Shot("rules", "/rules"),
    Shot("status", "/status"),
    Shot("access-log", "/audit"),
    Shot("users", "/users"),
    Shot("settings", "/settings"),
    Shot("tls", "/settings/tls"),
    Shot("shortcuts", "/", _keys),
    Shot("media-export", f"/?study={STUDY_UID}", _export_media),
    Shot("anonymize", f"/?study={STUDY_UID}", _anonymize),
    Shot("media-import", "/", _import_media),
)


def take(browser: Browser, url: str, folder: Path, wanted: Sequence[str]) -> None:
    """Log in and take the pictures, in each of their schemes."""
    for scheme in ("dark", "light"):
        context = browser.new_context(
            viewport={"width": SIZE[0], "height": SIZE[1]}, locale="en-GB", base_url=url, reduced_motion="reduce"
        )
        context.add_init_script(f"localStorage.setItem('radfuse-color-scheme', '{scheme}')")
        page = context.new_page()
        page.set_default_timeout(_PATIENCE_MS)
        page.goto("/login")
        page.get_by_role("textbox", name="Name").fill("mhalvorsen")
        if scheme == "dark" and _is_wanted("login", wanted):
            _keep(page, folder / "login-dark.png")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("navigation", name="Pages").wait_for()
        for shot in SHOTS:
            if scheme in shot.schemes and _is_wanted(shot.name, wanted):
                page.goto(shot.path)
                page.get_by_role("heading", level=1).wait_for()
                shot.prepare(page)
                _keep(page, folder / f"{shot.name}-{scheme}.png")
        context.close()


def _is_wanted(name: str, wanted: Sequence[str]) -> bool:
    return not wanted or name in wanted


def _keep(page: Page, path: Path) -> None:
    """One picture, when the page has come to rest; 256 colours differ from all by what nobody sees."""
    page.mouse.move(SIZE[0] // 20, 3 * SIZE[1] // 4)
    page.wait_for_function(
        "() => [...document.images].every((each) => each.complete)"
        " && !document.querySelector('[aria-busy=true], .mantine-Skeleton-root, .mantine-Loader-root')"
    )
    page.wait_for_timeout(700)
    image = Image.open(BytesIO(page.screenshot())).convert("RGB")
    few = image.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=4, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path.name}: {size // 1000} KB")
    if size > MOST_BYTES:
        raise SystemExit(f"{path.name} is larger than {MOST_BYTES // 1000} KB")


def main(words: Sequence[str] | None = None) -> None:
    """Take all pictures, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="only these")
    parser.add_argument("--to", type=Path, default=IMAGES, help="folder for the pictures")
    options = parser.parse_args(words)
    options.to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, contextlib.ExitStack() as stack:
        folder = Path(temporary)
        now_s = time.time()
        with Archive(ArchiveSettings(folder / "radfuse-data")) as archive:
            fill(archive, visits(now_s))
            list(add_demo_study(archive))
        with Archive(ArchiveSettings(folder / "pacs")) as archive:
            fill(archive, earlier_visits(now_s))
        discs = folder / _DISCS
        settings = f'[media]\nimport_folders = ["{discs}"]\nexport_folders = ["{discs}"]\n'
        (folder / "radfuse-data" / "radfuse.toml").write_text(settings, encoding="utf-8")
        make_certificates(folder / "radfuse-data")
        pacs = stack.enter_context(serving(folder / "pacs", "PACS1"))
        service = stack.enter_context(serving(folder / "radfuse-data", "RADFUSE", "--tls-port", "0"))
        slow_port = stack.enter_context(receiving(folder / "slow", "--sleep-during", "1", "--fork"))
        department = Department(service.url)
        department.add_users()
        department.add_peers(pacs.dicom_port, slow_port)
        department.add_rules()
        department.add_disc(discs)
        department.add_jobs()
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(_CHROMIUM))
        take(browser, service.url, options.to, options.names)
        browser.close()


if __name__ == "__main__":
    main()
