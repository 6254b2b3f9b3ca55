"""A session goes through other systems and comes back: it restores the same."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from radfuse.services.import_media import Verdict, import_files
from tests.support.judges import program
from tests.support.orthanc import running_orthanc
from tests.support.ports import unused_port
from tests.support.saved import SessionDesk, files_of, session_desk
from tests.support.servers import RunningNode, running_storescp
from tests.web.api.conftest import api_in

pytestmark = pytest.mark.peers

_NOBODY = RunningNode(cast("subprocess.Popen[str]", None), Path(), "RADFUSE", 104, "")
"""Whom Orthanc would know: it is never asked to send."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SessionDesk]:
    with session_desk(tmp_path_factory.mktemp("sessions") / "data") as made:
        yield made


@pytest.fixture(scope="module")
def draft(desk: SessionDesk) -> dict[str, Any]:
    return desk.draft()


@pytest.fixture(scope="module")
def session(desk: SessionDesk, draft: dict[str, Any]) -> str:
    return str(desk.saved(draft)["SOPInstanceUID"])


@pytest.fixture(scope="module")
def files(desk: SessionDesk, session: str, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """All objects of the study, the session's too."""
    assert session
    folder = tmp_path_factory.mktemp("files")
    made = []
    for number, content in enumerate(files_of(desk)):
        made.append(folder / f"{number}.dcm")
        made[-1].write_bytes(content)
    return made


def restored(desk: SessionDesk, session: str, folder: Path, files: list[Path]) -> dict[str, Any]:
    """The session as it is opened where only these files are."""
    with api_in(folder) as api:
        for each in import_files(api.archive, files):
            assert each.verdict is Verdict.STORED, each.reason
        return SessionDesk(api, desk.study, desk.pet, desk.ct).opened(session)


def test_through_orthanc(
    desk: SessionDesk, draft: dict[str, Any], session: str, files: list[Path], orthanc: str, tmp_path: Path
) -> None:
    with running_orthanc(orthanc, tmp_path, _NOBODY) as peer:
        _send(files, "ORTHANC", peer.dicom_port)
        back = []
        for number, instance in enumerate(peer.ask("instances")):
            back.append(tmp_path / f"{number}.dcm")
            back[-1].write_bytes(peer.file(instance))
    assert len(back) == len(files)
    opened = restored(desk, session, tmp_path / "data", back)
    assert opened["findings"] == []
    assert opened["state"] | {"session": None} == draft["state"]


def test_through_storescp_that_takes_implicit_vr_only(
    desk: SessionDesk, draft: dict[str, Any], session: str, files: list[Path], tmp_path: Path
) -> None:
    received = tmp_path / "received"
    received.mkdir()
    port = unused_port()
    with running_storescp(program("storescp"), received, port, "+xi"):
        _send(files, "STORESCP", port)
    opened = restored(desk, session, tmp_path / "data", sorted(received.iterdir()))
    assert opened["findings"] == []
    assert opened["state"] | {"session": None} == draft["state"]


def _send(files: list[Path], title: str, port: int) -> None:
    command = [program("storescu"), "-R", "-aec", title, "127.0.0.1", str(port), *map(str, files)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
