"""OHIF is put into the data folder whole or not at all, told where it is served, and nothing of it leads elsewhere."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from radfuse.core.errors import ConfigurationError
from radfuse.services.ohif import BASE, Shelf, install, installed, remove
from tests.support.ohif_package import CHUNK, write_archive, write_package


def test_its_files_are_told_where_they_are_served_and_what_is_of_no_use_is_left_out(tmp_path: Path) -> None:
    found = install(tmp_path / "data", write_package(tmp_path))
    assert (found.version, found) == ("3.13.2", installed(tmp_path / "data"))
    page = (found.folder / "index.html").read_bytes()
    for expected in (
        b'src="/ohif/app.bundle.',
        b'content="/ohif/assets/',
        b'PUBLIC_URL="/ohif/"',
        b'href="//elsewhere"',
    ):
        assert expected in page
    chunk = "app.bundle.0f6159c501addfe9.js"
    content = (found.folder / chunk).read_bytes()
    assert content == CHUNK.replace(b'.p = "/";', b'.p = "/ohif/";')
    assert gzip.decompress((found.folder / f"{chunk}.gz").read_bytes()) == content
    assert b"url(/ohif/a34f9d1faa5f3315.woff2)" in (found.folder / "app.bundle.css").read_bytes()
    assert json.loads((found.folder / "manifest.json").read_bytes())["icons"][0]["src"] == f"{BASE}assets/icon.png"
    assert set(found.files) == {
        *("index.html", chunk, "app.bundle.css", "a34f9d1faa5f3315.woff2", "0ddf166f7a343eda.wasm"),
        *("manifest.json", "assets/favicon.ico"),
    }
    assert found.scripts == (_digest(b'window.PUBLIC_URL="/ohif/"'),)
    assert (found.folder.parent / "LICENSE").read_bytes() == b"MIT License"


def _digest(script: bytes) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}"


def test_it_is_replaced_and_removed_and_whoever_serves_it_sees_that(tmp_path: Path) -> None:
    data, shelf = tmp_path / "data", Shelf(tmp_path / "data")
    assert shelf.get() is None
    assert not remove(data)
    first = install(data, write_package(tmp_path))
    assert shelf.get() == first
    install(data, write_archive(tmp_path, write_package(tmp_path, {"dist/new.css": b"a{}"})))
    seen = shelf.get()
    assert seen is not None
    assert "new.css" in seen.files
    assert remove(data)
    assert shelf.get() is None
    assert list(data.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"package.json": b'{"name": "left-pad", "version": "1.0.0"}'}, "is not the package @ohif/app"),
        ({"package.json": b"[]"}, "is not the package @ohif/app"),
        ({"package.json": None}, "is not the package @ohif/app"),
        ({"LICENSE": None}, "has no LICENSE"),
        ({"dist/index.html": None}, "has no dist/index.html"),
        ({"dist/app.bundle.0f6159c501addfe9.js": b"minified"}, "install 3.13.2"),
    ],
)
def test_what_is_not_that_package_is_refused_and_what_was_there_stays(
    tmp_path: Path, changes: dict[str, bytes | None], words: str
) -> None:
    (tmp_path / "good").mkdir()
    before = install(tmp_path / "data", write_package(tmp_path / "good"))
    with pytest.raises(ConfigurationError, match=words):
        install(tmp_path / "data", write_package(tmp_path, changes))
    assert installed(tmp_path / "data") == before
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["ohif"]


def _outside(archive: tarfile.TarFile) -> None:
    member = tarfile.TarInfo("package/../../outside.txt")
    member.size = 1
    archive.addfile(member, io.BytesIO(b"x"))


def _too_many(archive: tarfile.TarFile) -> None:
    member = tarfile.TarInfo("package/large")
    member.size = 3 << 30
    archive.addfile(member)  # its bytes are missing too


@pytest.mark.parametrize("spoil", [_outside, _too_many])
def test_an_archive_that_reaches_out_or_is_too_large_is_refused(
    tmp_path: Path, spoil: Callable[[tarfile.TarFile], None]
) -> None:
    path = tmp_path / "bad.tgz"
    with tarfile.open(path, "w:gz") as archive:
        spoil(archive)
    with pytest.raises(ConfigurationError):
        install(tmp_path / "data", path)
    assert list((tmp_path / "data").iterdir()) == []
    assert not (tmp_path / "outside.txt").exists()


def test_what_cannot_be_fetched_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "text.tgz").write_text("no archive", encoding="ascii")
    with pytest.raises(ConfigurationError, match="npm pack"):
        install(tmp_path, tmp_path / "text.tgz")
    with pytest.raises(ConfigurationError, match="no file or folder"):
        install(tmp_path, tmp_path / "nowhere")
    with pytest.raises(ConfigurationError, match="no version such as"):
        install(tmp_path, version="latest; rm")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"install Node\.js, or run 'npm pack @ohif/app@3.13.2'"):
        install(tmp_path)
    _fake_npm(tmp_path, "echo 'E404 not found' >&2; exit 1")
    with pytest.raises(ConfigurationError, match="E404 not found"):
        install(tmp_path)
    _fake_npm(tmp_path, "echo something > ohif-app-3.13.2.tgz")
    with pytest.raises(ConfigurationError, match="as it was published; nothing is kept"):
        install(tmp_path)
    assert installed(tmp_path) is None


def _fake_npm(folder: Path, script: str) -> None:
    (folder / "npm").write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
    (folder / "npm").chmod(0o755)


def test_a_list_that_cannot_be_read_is_as_good_as_none(tmp_path: Path) -> None:
    install(tmp_path, write_package(tmp_path))
    (tmp_path / "ohif" / "radfuse.json").write_text("[]", encoding="ascii")
    assert installed(tmp_path) is None
