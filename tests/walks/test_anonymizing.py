"""What somebody does who gives images away: look at what would become of one, pick where they go, and send copies."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from playwright.sync_api import expect

from radfuse.services.anonymize_verify import verify_files
from radfuse.services.peers import Peer
from tests.interop.client import configured_peer
from tests.support.generate import PATIENT_ID, PATIENT_NAME, GeneratedSet
from tests.support.servers import running_storescp
from tests.walks.conftest import Console, Walker

pytestmark = [pytest.mark.peers, pytest.mark.slow]


def test_a_study_is_previewed_and_only_anonymized_copies_arrive(
    console: Console,
    walker: Walker,
    generated_set: GeneratedSet,
    dcmtk: Callable[[str], str],
    tmp_path: Path,
    free_port: int,
) -> None:
    walker.go("/")
    walker.upload(generated_set.ct)
    walker.search("test generated")
    expect(walker.rows()).to_have_count(1)
    walker.rows().click()
    with (
        running_storescp(dcmtk("storescp"), tmp_path, free_port),
        configured_peer(console.node, Peer.parse(f"RESEARCH@127.0.0.1:{free_port}")),
    ):
        walker.button("Anonymize …").click()
        dialog = walker.page.get_by_role("dialog", name="Anonymize")
        dialog.get_by_role("tab", name="Preview").click()
        changes = dialog.get_by_role("region", name="Before and after")
        name = changes.get_by_role("row").filter(has_text=re.compile("^PatientName"))
        expect(name).to_contain_text(PATIENT_NAME)
        expect(name).to_contain_text("ANON-")
        expect(dialog.get_by_role("button", name="Anonymize", exact=True)).to_be_disabled()
        dialog.get_by_role("combobox", name="Where the copies go").click()
        dialog.get_by_role("combobox", name="Where the copies go").press("ArrowDown")
        walker.page.get_by_role("option", name="RESEARCH").click()
        dialog.get_by_role("button", name="Anonymize", exact=True).click()
        walker.page.get_by_role("alert").get_by_role("link").click()
        job = walker.page.get_by_role("complementary", name=re.compile("^Job "))
        expect(job.get_by_text("Done", exact=True).first).to_be_visible(timeout=60_000)
    received = sorted(tmp_path.iterdir())
    assert len(received) == len(generated_set.ct)
    judged = verify_files(received, known=[PATIENT_ID, PATIENT_NAME], originals=generated_set.ct)
    assert not [found for each in judged for found in each.findings if found.is_wrong]
    assert {pydicom.dcmread(path).PatientIdentityRemoved for path in received} == {"YES"}
