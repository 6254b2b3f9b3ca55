"""What attackers and broken clients try: the test that holds each of it, and the tests that fit nowhere else."""

from __future__ import annotations

import ast
import functools
import gzip
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.archive.objects import AnObject, store
from tests.support.generate import GeneratedSet
from tests.web.api.conftest import RunningApi
from tests.web.api.test_uploads import FORM, form, kept, states, upload, zipped

_TESTS = Path(__file__).parents[2]

HELD_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "HTML and scripts in names": (
        "web/test_retrieving.py::test_markup_in_a_name_is_data",
        "web/api/test_attacks.py::test_markup_in_names_is_data_of_json_that_no_browser_takes_for_a_page",
        "web/api/test_uploads.py::test_names_are_text_and_nothing_else",
        "web/test_console.py::test_a_page_may_run_no_script_but_ours",
    ),
    "CSRF": (
        "web/api/test_authentication.py::test_a_form_on_another_page_does_nothing",
        "web/api/test_authentication.py::test_without_an_origin_a_form_is_still_not_json",
        "web/api/test_authentication.py::test_a_session_is_a_cookie_that_no_script_reads_and_no_other_site_sends",
        "web/test_guard.py::test_a_page_of_another_origin_cannot_store",
        "web/test_guard.py::test_a_page_that_points_its_name_at_this_machine_is_refused",
        "web/api/test_authentication.py::test_an_allowed_page_has_no_use_of_a_session",
    ),
    "path injection": (
        "web/test_console.py::test_no_other_file_can_be_had",
        "web/test_storing.py::test_a_uid_that_is_none_is_refused",
        "web/api/test_retrievals.py::test_a_folder_is_no_part_of_any_of_this",
        "web/api/test_attacks.py::test_a_name_is_no_path_and_no_header",
        "services/test_import_media.py::test_members_of_a_zip_file_are_imported_and_no_name_of_theirs_becomes_a_path",
    ),
    "header injection": (
        "web/test_searching.py::test_an_unknown_parameter_is_ignored_with_a_warning_that_cannot_split_headers",
        "web/test_searching.py::test_a_host_that_is_none_never_reaches_an_answer",
        "web/api/test_authentication.py::test_a_header_in_a_name_stays_a_name",
        "web/api/test_attacks.py::test_a_name_is_no_path_and_no_header",
    ),
    "zip bombs": (
        "web/api/test_uploads.py::test_a_zip_bomb_is_refused",
        "web/api/test_attacks.py::test_a_zip_archive_of_nothing_but_entries_is_refused_before_they_are_taken_up",
        "services/test_upload.py::test_the_files_of_one_upload_are_bounded_in_archives_or_not",
        "services/test_import_media.py::test_a_member_that_declares_less_than_it_holds_gives_no_more_than_it_declares",
    ),
    "gzip bombs": (
        "web/test_storing.py::test_a_compressed_body_is_not_inflated",
        "web/api/test_attacks.py::test_a_compressed_body_is_not_inflated",
    ),
    "4 GB Content-Length": (
        "web/test_storing.py::test_four_gigabytes_that_are_only_announced_cost_nothing",
        "web/api/test_uploads.py::test_a_client_that_goes_away_has_uploaded_what_was_whole",
        "web/api/test_uploads.py::test_more_than_is_allowed_is_refused_before_it_is_sent",
        "web/api/test_contract.py::test_a_body_of_gigabytes_is_refused_before_it_is_sent",
        "web/api/test_contract.py::test_a_body_without_end_is_refused_on_the_way",
    ),
    "a broken part among good ones": (
        "web/test_storing.py::test_a_broken_part_among_good_ones_is_told_of_and_the_good_ones_are_kept",
        "web/test_storing.py::test_what_was_kept_before_the_body_broke_is_told",
        "web/api/test_uploads.py::test_a_broken_file_concerns_no_other",
    ),
    "unknown keys and levels": (
        "web/test_searching.py::test_an_unknown_parameter_is_ignored_with_a_warning_that_cannot_split_headers",
        "web/test_searching.py::test_an_attribute_below_the_level_is_ignored_with_a_warning",
        "web/api/test_peer_queries.py::test_a_search_that_cannot_be_is_refused_before_anybody_is_called",
        "web/api/test_retrievals.py::test_what_cannot_be_retrieved_is_said_in_a_sentence",
        "web/api/test_settings.py::test_what_cannot_be_is_refused_and_nothing_is_written",
        "web/api/test_attacks.py::test_a_body_that_is_nested_without_end_is_a_bad_request",
    ),
    "deleted while downloading": (
        "web/api/test_deletions.py::test_a_download_that_is_under_way_ends_whole_or_is_seen_to_be_cut",
        "web/test_retrieving.py::test_an_object_that_vanishes_during_a_download_breaks_it_visibly",
    ),
    "wrong passwords are slowed and logged": (
        "web/api/test_authentication.py::test_wrong_passwords_are_slowed_and_then_not_looked_at",
        "web/api/test_authentication.py::test_a_slowed_login_holds_up_nobody",
        "web/api/test_authentication.py::test_names_that_nobody_has_are_not_told_from_others",
    ),
    "more than a role allows": (
        "web/test_policy.py::test_every_route_has_a_row_of_its_own",
        "web/api/test_authentication.py::test_a_route_is_open_to_its_roles_only",
        "web/api/test_attacks.py::test_only_saved_peers_are_called_by_their_name",
    ),
}


@functools.cache
def _tests_in(module: str) -> frozenset[str]:
    tree = ast.parse((_TESTS / module).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("attack", HELD_BY)
def test_every_attack_is_held_by_tests_that_are_there(attack: str) -> None:
    missing = [name for name in HELD_BY[attack] if name.partition("::")[2] not in _tests_in(name.partition("::")[0])]
    assert not missing


# --- names ---------------------------------------------------------------------------------------


def test_markup_in_names_is_data_of_json_that_no_browser_takes_for_a_page(api: RunningApi) -> None:
    name = '<img src=x onerror="alert(1)">'
    store(api.archive, AnObject("2.25.7", name=name))
    for path in ("/studies", "/studies/2.25.10", "/studies/2.25.10/series/2.25.20/instances/2.25.7/attributes"):
        answer = api.http.get(f"{api.url}/api{path}", headers={"Accept": "text/html"})
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "onerror" in answer.text
    assert api.get("/studies")["studies"][0]["PatientName"] == name
    problem = api.problem("GET", f"/studies/{name}")
    assert "<" not in problem["detail"]


@pytest.mark.parametrize("name", ["../../evil", "a/b", "x\r\nSet-Cookie: a=b", 'x"; filename="y', "\0", "", "é" * 300])
def test_a_name_is_no_path_and_no_header(shared_api: RunningApi, name: str) -> None:
    before = {path for path in shared_api.folder.rglob("*") if path.is_dir()}
    assert shared_api.problem("POST", "/tls/peer-certificate", {"peer": name})["status"] == 400
    peer = {"name": name, "ae_title": "X", "host": "127.0.0.1", "port": 104}
    assert shared_api.http.put(f"{shared_api.url}/api/peers/x", json=peer).status_code in (400, 404)
    assert shared_api.problem("POST", "/sends", {"peer": "x", "studies": ["1.2.3"], "database": name})["status"] >= 400
    assert shared_api.get("/peers") == []
    assert {path for path in shared_api.folder.rglob("*") if path.is_dir()} == before


def test_a_patient_is_retrieved_by_an_id_that_can_be_written(api: RunningApi) -> None:
    api.send("PUT", "/peers/pacs", {"name": "pacs", "ae_title": "PACS", "host": "127.0.0.1", "port": 104})
    for name in ("a\0b", "a\r\nb", "*", " "):
        problem = api.problem("POST", "/retrievals", {"peer": "pacs", "level": "patient", "names": [name]})
        assert (problem["status"], problem["setting"]) == (400, "PatientID")


# --- rights --------------------------------------------------------------------------------------


def test_only_saved_peers_are_called_by_their_name(shared_api: RunningApi) -> None:
    """Calling any address is the administrators': an operator would search the network with it."""
    for path in ("/peers/X@127.0.0.1:1/test", "/peers/X@127.0.0.1:1/query"):
        body: Any = {"level": "study", "keys": {}} if path.endswith("query") else None
        assert shared_api.problem("POST", path, body)["status"] == 404


# --- bodies --------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"[" * 1_000_000, b'{"studies":' * 100_000, b"\xff\xfe", b"{", b"[]", b"null"])
def test_a_body_that_is_nested_without_end_is_a_bad_request(shared_api: RunningApi, body: bytes) -> None:
    kind = {"Content-Type": "application/json"}
    answer = shared_api.http.post(f"{shared_api.url}/api/deletions", content=body, headers=kind)
    assert answer.status_code == 400
    assert "body is not JSON" in answer.json()["detail"]


def test_a_compressed_body_is_not_inflated(api: RunningApi, generated_set: GeneratedSet) -> None:
    packed = gzip.compress(form(("a.dcm", generated_set.ct[0].read_bytes()), ("zeros", bytes(50 << 20))))
    headers = {"Content-Type": FORM, "Content-Encoding": "gzip"}
    answer = api.http.post(f"{api.url}/api/uploads", content=packed, headers=headers)
    assert answer.status_code == 415
    assert kept(api) == 0


def test_a_zip_archive_of_nothing_but_entries_is_refused_before_they_are_taken_up(api: RunningApi) -> None:
    directory = (b"PK\1\2" + bytes(42)) * 200_000
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, len(directory), 0, 0)
    real = zipped(("first", b""))
    result = upload(api, ("bomb.zip", real[: real.index(b"PK\1\2")] + directory + end))
    assert states(result) == ["refused"]
    assert result["files"][0]["reason"] == "the zip file has more than 100000 files"
