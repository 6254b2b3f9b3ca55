"""Images of discs are read as they are: of genisoimage and of ourselves, whole and broken."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from radfuse.archive import Archive
from radfuse.core.errors import OutOfSpace
from radfuse.services.import_media import Verdict
from tests.archive.objects import stored_objects
from tests.services.import_media.scenes import imported, verdicts, written


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disc of thirty objects with Joliet and Rock Ridge names, and a text."""
    program = shutil.which("genisoimage") or shutil.which("mkisofs")
    if program is None:
        pytest.skip("genisoimage is not installed (apt-get install genisoimage)")
    folder = tmp_path_factory.mktemp("image")
    disc = written(folder / "disc" / "DICOM", range(30)).parent
    (disc / "README.TXT").write_text("a disc", encoding="utf-8")
    subprocess.run(
        [program, "-quiet", "-no-pad", "-J", "-R", "-o", folder / "disc.iso", disc], check=True, capture_output=True
    )
    return folder / "disc.iso"


def test_an_image_is_imported_with_all_its_files(archive: Archive, image: Path) -> None:
    results = imported(archive, image)
    assert verdicts(results) == {Verdict.STORED: 30, Verdict.NOT_DICOM: 1}
    assert results[0].name == f"{image}: DICOM/00000"
    assert {result.path for result in results} == {str(image)}
    assert len(stored_objects(archive)) == 30


def test_an_image_lies_among_other_files_and_needs_no_name(archive: Archive, image: Path, tmp_path: Path) -> None:
    folder = written(tmp_path / "folder", [1, 100])
    shutil.copy(image, folder / "00050")
    assert verdicts(imported(archive, folder)) == {
        Verdict.STORED: 31,
        Verdict.ALREADY_KEPT: 1,
        Verdict.NOT_DICOM: 1,
    }


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_an_image_that_is_cut_off_gives_what_it_has_and_says_so(
    archive: Archive, image: Path, tmp_path: Path, share: float
) -> None:
    content = image.read_bytes()
    (tmp_path / "cut.iso").write_bytes(content[: max(40_000, int(share * len(content)))])
    results = imported(archive, tmp_path / "cut.iso")
    assert any(result.verdict in (Verdict.REFUSED, Verdict.IMAGE) for result in results)
    assert all(result.verdict is not Verdict.STORED or result.size_bytes for result in results)


@pytest.mark.parametrize("seed", range(4))
def test_an_image_with_wild_directories_ends_without_harm(
    archive: Archive, image: Path, tmp_path: Path, seed: int
) -> None:
    content = bytearray(image.read_bytes())
    for place in range(32_768 + seed, min(len(content), 120_000), 97):
        content[place] = (content[place] * 31 + seed * 17) & 0xFF
    content[32_769:32_774] = b"CD001"
    (tmp_path / "wild.iso").write_bytes(content)
    for result in imported(archive, tmp_path / "wild.iso"):
        assert result.verdict is not Verdict.DIRECTORY


def test_a_full_disk_ends_the_import_of_an_image(
    archive: Archive, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_origin: object) -> object:
        raise OutOfSpace("the store")

    monkeypatch.setattr(archive, "receive", full)
    with pytest.raises(OutOfSpace):
        imported(archive, image)
