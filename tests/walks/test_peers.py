"""What administrators and those on call do: put a peer right, bring a failed send through, delete for good."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from radfuse.core.aetitle import AETitle
from radfuse.services.peers import Peer
from tests.interop.client import configured_peer, stored_files, wait_until
from tests.support.generate import GeneratedSet
from tests.support.servers import running_storescp
from tests.walks.conftest import Console, Walker

pytestmark = [pytest.mark.peers, pytest.mark.slow]

SETTINGS = "undo_minutes = 0\n"


def test_a_peer_with_a_wrong_port_is_put_right(
    walker: Walker, dcmtk: Callable[[str], str], tmp_path: Path, new_port: Callable[[], int]
) -> None:
    right, wrong = new_port(), new_port()
    walker.go("/peers")
    walker.button("Add peer").first.click()
    form = walker.page.get_by_role("dialog", name="Add a peer")
    form.get_by_role("textbox", name="Name", exact=True).fill("CT-1")
    form.get_by_role("textbox", name="AE title", exact=True).fill("CTSCAN1")
    form.get_by_role("textbox", name="Host").fill("127.0.0.1")
    form.get_by_role("textbox", name="Port").fill(str(wrong))
    form.get_by_role("button", name="Add peer").click()
    card = walker.page.get_by_role("article", name="Peer CT-1")
    card.get_by_role("button", name="Test").click()
    expect(card).to_contain_text("What to do:")
    expect(card).to_contain_text(re.compile(r"\bport\b"))
    expect(card.get_by_role("img", name="Failed the last test")).to_be_visible()
    card.get_by_role("button", name="More about CT-1").click()
    walker.page.get_by_role("menuitem", name="Edit").click()
    form = walker.page.get_by_role("dialog", name="Edit CT-1")
    form.get_by_role("textbox", name="Port").fill(str(right))
    with running_storescp(dcmtk("storescp"), tmp_path, right):
        form.get_by_role("button", name="Test").click()
        expect(form.get_by_role("status")).to_contain_text("Echo")
        expect(form.get_by_role("status")).not_to_contain_text("What to do:")
        form.get_by_role("button", name="Save").click()
        expect(form).to_have_count(0)
        card.get_by_role("button", name="Test").click()
        expect(card).to_contain_text("Answers in")
    expect(card).to_contain_text(f"CTSCAN1@127.0.0.1:{right}")


def test_a_failed_send_says_the_cure_and_is_done_when_the_peer_is_back(
    console: Console,
    walker: Walker,
    generated_set: GeneratedSet,
    dcmtk: Callable[[str], str],
    tmp_path: Path,
    free_port: int,
) -> None:
    walker.go("/")
    walker.upload(generated_set.mr)
    walker.row("TEST, Generated").click()
    with configured_peer(console.node, Peer("LATE", AETitle("LATE"), "127.0.0.1", free_port, retries=0)):
        walker.button(re.compile("^Send")).click()
        walker.page.get_by_role("dialog").get_by_role("combobox", name="To").click()
        walker.page.get_by_role("option", name="LATE").click()
        walker.button("Send to LATE").click()
        walker.page.get_by_role("alert").get_by_role("link").click()
        job = walker.page.get_by_role("complementary", name=re.compile("^Job "))
        expect(job.get_by_role("alert")).to_contain_text("LATE")
        expect(job.get_by_text("Failed", exact=True).first).to_be_visible()
        with running_storescp(dcmtk("storescp"), tmp_path, free_port):
            job.get_by_role("button", name="Retry").click()
            expect(job.get_by_text("Done", exact=True).first).to_be_visible(timeout=60_000)
    assert len(list(tmp_path.iterdir())) == len(generated_set.mr)


def test_without_undo_time_what_is_deleted_is_gone(
    console: Console, walker: Walker, generated_set: GeneratedSet
) -> None:
    walker.go("/")
    walker.upload(generated_set.files)
    walker.row("TEST, Generated").click()
    walker.button("Delete").click()
    expect(walker.rows()).to_have_count(0)
    wait_until(lambda: not stored_files(console.node), "files are still there")
    walker.sees("Upload")
