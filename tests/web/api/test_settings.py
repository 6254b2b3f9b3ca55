"""Settings over the API: what each is and where that comes from; what cannot be is refused before it is written."""

from __future__ import annotations

import os
import tomllib
from typing import Any

import pytest

from radfuse.app.settings import Settings
from tests.web.api.conftest import RunningApi


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("RADFUSE_"):
            monkeypatch.delenv(name)


def settings(api: RunningApi) -> dict[str, Any]:
    return {setting["key"]: setting for setting in api.get("/settings")}


def put(api: RunningApi, **changes: Any) -> dict[str, Any]:
    told = api.send("PUT", "/settings", {"changes": {key.replace("__", "."): value for key, value in changes.items()}})
    return {setting["key"]: setting for setting in told}


def in_file(api: RunningApi) -> dict[str, Any]:
    return tomllib.loads((api.folder / "radfuse.toml").read_text(encoding="utf-8"))


def test_every_setting_is_there_with_what_is_said_of_it(api: RunningApi) -> None:
    found = settings(api)
    assert {key.partition(".")[0] for key in found} == set(Settings.model_fields) - {"data"}
    assert all(setting["description"] for setting in found.values())
    duplicates = found["storage.duplicates"]
    assert (duplicates["kind"], duplicates["choices"], duplicates["value"], duplicates["section"]) == (
        "choice",
        ["keep", "replace", "reject"],
        "keep",
        "storage",
    )
    kinds = {key: found[key]["kind"] for key in ("dicom_port", "limits.pdu_s", "tls.legacy", "databases", "host")}
    assert kinds == {
        "dicom_port": "integer",
        "limits.pdu_s": "number",
        "tls.legacy": "flag",
        "databases": "map",
        "host": "text",
    }
    assert {setting["source"] for setting in found.values()} == {"default"}
    assert not any(setting["needs_restart"] for setting in found.values())


def test_a_change_is_written_and_waits_for_the_next_start(api: RunningApi) -> None:
    changed = put(api, limits__pdu_s=30, databases={"TWO": "second"}, storage__extra_classes=["1.2.3"])
    assert in_file(api) == {
        "limits": {"pdu_s": 30.0},
        "databases": {"TWO": "second"},
        "storage": {"extra_classes": ["1.2.3"]},
    }
    assert {key for key, setting in changed.items() if setting["needs_restart"]} == {
        "limits.pdu_s",
        "databases",
        "storage.extra_classes",
    }
    assert changed["limits.pdu_s"]["source"] == "file"
    again = put(api, limits__pdu_s=None)
    assert (again["limits.pdu_s"]["value"], again["limits.pdu_s"]["source"]) == (60.0, "default")
    assert not again["limits.pdu_s"]["needs_restart"]
    assert "pdu_s" not in in_file(api)["limits"]


def test_comments_and_order_of_the_file_stay(api: RunningApi) -> None:
    (api.folder / "radfuse.toml").write_text(
        '# Ours\nae_title = "ONE" # as the scanners know us\n\n[limits] # short\nidle_s = 7.5 # seconds\n', "utf-8"
    )
    put(api, ae_title="TWO", limits__idle_s=9)
    text = (api.folder / "radfuse.toml").read_text(encoding="utf-8")
    assert text == '# Ours\nae_title = "TWO" # as the scanners know us\n\n[limits] # short\nidle_s = 9.0 # seconds\n'


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"nonsense": 1}, "nonsense"),
        ({"data": "/elsewhere"}, "data"),
        ({"limits": {"pdu_s": "1"}}, "limits"),
        ({"ae_title": "X" * 17}, "ae_title"),
        ({"limits.pdu_s": 0}, "limits.pdu_s"),
        ({"limits.pdu_s": "7"}, "limits.pdu_s"),
        ({"workers": True}, "workers"),
        ({"workers": 2.5}, "workers"),
        ({"workers": 1000}, "workers"),
        ({"tls.legacy": 1}, "tls.legacy"),
        ({"storage.duplicates": "forget"}, "storage.duplicates"),
        ({"storage.extra_classes": ["x"]}, "storage.extra_classes"),
        ({"databases": {"TWO": "../elsewhere"}}, "databases"),
        ({"databases": {"X" * 17: "second"}}, "databases"),
        ({"http_port": 11112}, "http_port"),
        ({"tls.certificate": "none.pem", "tls.key": "none.key"}, "tls.certificate"),
        ({"index_url": "not an address"}, "index_url"),
        ({"http_host": "192.0.2.1"}, "http_host"),  # nobody can log in yet
        ({"public_url": "https://pacs.example"}, "public_url"),
        ({"http_tls": True}, "http_tls"),
        ({"proxies": ["somewhere"]}, "proxies"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    shared_api: RunningApi, changes: dict[str, Any], setting: str
) -> None:
    refused = shared_api.problem("PUT", "/settings", {"changes": {"commitment.wait_s": 1} | changes})
    assert (refused["status"], refused["setting"].partition("[")[0]) == (400, setting)
    assert not (shared_api.folder / "radfuse.toml").exists()


def test_what_the_environment_sets_is_changed_there(api: RunningApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADFUSE_LIMITS__PDU_S", "5")
    monkeypatch.setenv("radfuse_storage", '{"duplicates": "reject"}')
    monkeypatch.setenv("RADFUSE_DATABASES__TWO", "second")
    found = settings(api)
    for key, value in (("limits.pdu_s", 5.0), ("storage.duplicates", "reject"), ("databases", {"two": "second"})):
        assert (found[key]["source"], found[key]["value"]) == ("environment", value)
        refused = api.problem("PUT", "/settings", {"changes": {key: None}})
        assert (refused["setting"], "environment variable" in refused["detail"]) == (key, True)
    assert found["storage.reserve_bytes"]["source"] == "default"


def test_the_password_of_a_database_is_never_shown(api: RunningApi) -> None:
    url = "postgresql+psycopg://me:s3cret@db.example/radfuse?sslmode=require"
    shown = "postgresql+psycopg://me:***@db.example/radfuse?sslmode=require"
    answer = api.http.put(f"{api.url}/api/settings", json={"changes": {"jobs_url": url}})
    assert "s3cret" not in answer.text
    assert settings(api)["jobs_url"]["value"] == shown
    put(api, jobs_url=shown, workers=1)
    assert in_file(api) == {"jobs_url": url, "workers": 1}
    refused = api.problem("PUT", "/settings", {"changes": {"jobs_url": shown.replace("db.example", "evil.example")}})
    assert refused["setting"] == "jobs_url"
    assert "s3cret" not in refused["detail"]
    assert in_file(api)["jobs_url"] == url


def test_a_file_that_cannot_be_read_is_said_and_left_alone(api: RunningApi) -> None:
    (api.folder / "radfuse.toml").write_text("[[[", encoding="utf-8")
    assert api.problem("GET", "/settings")["setting"] == "radfuse.toml"
    assert api.problem("PUT", "/settings", {"changes": {"workers": 1}})["setting"] == "radfuse.toml"
    assert (api.folder / "radfuse.toml").read_text(encoding="utf-8") == "[[["
