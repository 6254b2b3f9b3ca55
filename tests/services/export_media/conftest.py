"""An archive with the generated study, and short ways to plan and to write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from radfuse.archive import Archive, ArchiveSettings
from radfuse.dicom import Transcoder
from radfuse.services.export_media import MediaAsk, MediaReport, export_media, plan_export
from radfuse.services.import_media import import_files
from radfuse.services.selection import Selection
from tests.support.generate import STUDY_UID, GeneratedSet

Write = Callable[..., MediaReport]


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory, generated_set: GeneratedSet) -> Iterator[Archive]:
    """An archive with the generated study: native objects, some in implicit VR. Tests leave the study as it is."""
    with Archive(ArchiveSettings(tmp_path_factory.mktemp("filled"))) as opened:
        assert len(list(import_files(opened, list(generated_set.files)))) == len(generated_set.files)
        yield opened


@pytest.fixture(scope="session")
def transcoder() -> Iterator[Transcoder]:
    """One for all tests: its process takes time to start."""
    with Transcoder() as opened:
        yield opened


@pytest.fixture
def write(filled: Archive, transcoder: Transcoder) -> Write:
    """Plans and writes the generated study, or what is asked."""

    def write_set(to: Path, ask: MediaAsk | None = None, **more: Any) -> MediaReport:
        plan = plan_export(filled, ask or whole_study())
        return export_media(filled, plan, to, transcoder=transcoder, **more)

    return write_set


def whole_study(profile: str = "STD-GEN-CD", **more: Any) -> MediaAsk:
    """The generated study."""
    return MediaAsk(profile, Selection([STUDY_UID]), **more)
