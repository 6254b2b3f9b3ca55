"""Uploading files: each has its own result, whatever comes with it and however it breaks off."""

from __future__ import annotations

import io
import socket
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from radfuse.archive.queries import totals
from tests.jobs.working import until
from tests.support.generate import STUDY_UID, GeneratedSet
from tests.web.api.conftest import RunningApi

BOUNDARY = "x-radfuse-test"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def form(*files: tuple[str, bytes]) -> bytes:
    """A form as a browser sends it."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: application/octet-stream\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, content in files
    ]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def post(api: RunningApi, content: bytes | Iterator[bytes], kind: str = FORM) -> httpx.Response:
    return api.http.post(f"{api.url}/api/uploads", content=content, headers={"Content-Type": kind})


def upload(api: RunningApi, *files: tuple[str, bytes]) -> Any:
    answer = post(api, form(*files))
    assert answer.status_code == 200, answer.text
    return answer.json()


def head(size: int) -> bytes:
    """The head of a request that says to have so many bytes."""
    lines = ("POST /api/uploads HTTP/1.1", "Host: localhost", f"Content-Type: {FORM}", f"Content-Length: {size}")
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def zipped(*members: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return packed.getvalue()


def kept(api: RunningApi) -> int:
    with api.archive.reading() as connection:
        return totals(connection)["instance"]


def states(result: Any) -> list[str]:
    return [file["state"] for file in result["files"]]


def test_every_file_is_taken_in(api: RunningApi, generated_set: GeneratedSet) -> None:
    result = upload(api, *((path.name, path.read_bytes()) for path in generated_set.files))
    assert (result["kept"], result["refused"], result["ignored"]) == (len(generated_set.files), 0, 0)
    assert result["studies"] == [STUDY_UID]
    assert {file["study"] for file in result["files"]} == {STUDY_UID}
    assert kept(api) == len(generated_set.files)


def test_what_was_kept_before_is_a_duplicate(api: RunningApi, generated_set: GeneratedSet) -> None:
    file = ("a.dcm", generated_set.ct[0].read_bytes())
    result = upload(api, file, file)
    assert states(result) == ["kept", "duplicate"]
    assert (result["kept"], result["duplicates"]) == (1, 1)


def test_a_bare_data_set_is_taken_in(api: RunningApi, generated_set: GeneratedSet) -> None:
    content = generated_set.ct[0].read_bytes()
    length = int.from_bytes(content[140:144], "little")
    assert states(upload(api, ("bare", content[144 + length :]))) == ["kept"]


def test_a_broken_file_concerns_no_other(api: RunningApi, generated_set: GeneratedSet) -> None:
    good = [path.read_bytes() for path in generated_set.ct[:2]]
    result = upload(api, ("1.dcm", good[0]), ("2.dcm", good[1][:600]), ("3.dcm", good[1]))
    assert states(result) == ["kept", "refused", "kept"]
    assert result["files"][1]["reason"]
    assert kept(api) == 2


def test_what_lies_beside_objects_is_ignored_with_a_reason(api: RunningApi, generated_set: GeneratedSet) -> None:
    result = upload(
        api,
        ("readme.txt", b"nothing to see here"),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(100)),
        ("empty", b""),
        ("image.dcm", generated_set.ct[0].read_bytes()),
    )
    assert states(result) == ["ignored", "ignored", "ignored", "kept"]
    assert all(file["reason"] for file in result["files"][:3])


def test_zip_archives_are_opened(api: RunningApi, generated_set: GeneratedSet) -> None:
    members = [(f"folder/{path.name}", path.read_bytes()) for path in generated_set.ct[:3]]
    result = upload(api, ("all.zip", zipped(*members, ("note.txt", b"hello"))))
    assert [file["name"] for file in result["files"]] == [
        *(f"all.zip/folder/{path.name}" for path in generated_set.ct[:3]),
        "all.zip/note.txt",
    ]
    assert states(result) == ["kept", "kept", "kept", "ignored"]
    assert kept(api) == 3


def test_a_zip_archive_that_is_cut_off_is_refused(api: RunningApi, generated_set: GeneratedSet) -> None:
    packed = zipped(("a", generated_set.ct[0].read_bytes()))
    result = upload(api, ("cut.zip", packed[: len(packed) // 2]), ("b.dcm", generated_set.ct[1].read_bytes()))
    assert states(result) == ["refused", "kept"]


def test_a_zip_bomb_is_refused(api: RunningApi) -> None:
    packed = bytearray(zipped(("bomb", bytes(1000))))
    at = packed.rindex(b"PK\1\2")
    packed[at + 24 : at + 28] = (0xFFFF_FFF0).to_bytes(4, "little")
    result = upload(api, ("bomb.zip", bytes(packed)))
    assert states(result) == ["refused"]
    assert "larger than" in result["files"][0]["reason"]


def test_names_are_text_and_nothing_else(api: RunningApi, generated_set: GeneratedSet) -> None:
    content = generated_set.ct[0].read_bytes()
    names = ["../../etc/passwd", "<img src=x onerror=alert(1)>", "a\x07b\x1b[2J", "Bild äöü 山.dcm", "x" * 5000]
    result = upload(api, *((name, content) for name in names))
    shown = [file["name"] for file in result["files"]]
    assert shown[:2] == names[:2]
    assert shown[2] == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}[2J"
    assert shown[3] == "Bild äöü 山.dcm"
    assert len(shown[4]) == 300
    assert not [path for path in api.folder.rglob("*") if "passwd" in path.name]


def test_quotes_in_a_name_are_read_as_browsers_write_them(api: RunningApi) -> None:
    assert upload(api, ("a%22b%0D.dcm", b"x"))["files"][0]["name"] == 'a"b\N{REPLACEMENT CHARACTER}.dcm'


def test_fields_that_are_no_files_are_passed_over(api: RunningApi, generated_set: GeneratedSet) -> None:
    field = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'.encode()
    answer = post(api, field + form(("a.dcm", generated_set.ct[0].read_bytes())))
    assert states(answer.json()) == ["kept"]


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "application/json", 415),
        (b"", FORM, 400),
        (b"no boundary here", FORM, 400),
        (form(), FORM, 400),
        (form(("a", b"x")), "multipart/form-data", 400),
    ],
)
def test_what_is_no_form_with_files_is_refused(api: RunningApi, content: bytes, kind: str, status: int) -> None:
    answer = post(api, content, kind)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_a_form_that_breaks_off_keeps_the_files_before(api: RunningApi, generated_set: GeneratedSet) -> None:
    whole = form(*((path.name, path.read_bytes()) for path in generated_set.ct[:3]))
    result = post(api, whole[: -len(whole) // 6]).json()
    assert states(result) == ["kept", "kept", "refused"]
    assert "broke off" in result["files"][2]["reason"]
    assert kept(api) == 2


def test_the_heads_of_parts_are_not_endless(api: RunningApi, generated_set: GeneratedSet) -> None:
    def endless() -> Iterator[bytes]:
        yield form(("a.dcm", generated_set.ct[0].read_bytes()))[: -len(BOUNDARY) - 6]
        yield f"--{BOUNDARY}\r\n".encode()
        for _ in range(20_000):
            yield b"X-Header: " + b"x" * 100 + b"\r\n"

    result = post(api, endless()).json()
    assert states(result) == ["kept", "refused"]


def test_more_than_is_allowed_is_refused_before_it_is_sent(api: RunningApi) -> None:
    where = urlsplit(api.url)
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=30) as connection:
        connection.sendall(head(1 << 40))
        assert b" 413 " in connection.recv(4096).split(b"\r\n")[0]


def test_a_client_that_goes_away_has_uploaded_what_was_whole(api: RunningApi, generated_set: GeneratedSet) -> None:
    where = urlsplit(api.url)
    body = form(*((path.name, path.read_bytes()) for path in generated_set.ct[:2]))
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=30) as connection:
        size = 4 << 30
        head = (
            f"POST /api/uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\nContent-Length: {size}\r\n\r\n"
        )
        connection.sendall(head.encode() + body[:-2000])
    until(lambda: kept(api) == 1)
    assert api.get("/studies")["studies"][0]["NumberOfStudyRelatedInstances"] == 1
