"""What the API says and takes of media: profiles, plans, exports, folders of the server, imports."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, Self

from pydantic import BaseModel, Field

from radfuse.core.uid_names import name_of_uid
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.media_folders import PlaceKind, Places
from radfuse.web.api.contexts import NamedUID
from radfuse.web.api.jobs import Job
from radfuse.web.api.selection import Selection
from radfuse.web.api.sends import Priority

if TYPE_CHECKING:
    from radfuse.media import Profile
    from radfuse.services.export_media import MediaAsk

_MOST_BYTES: Final = 2**50
_FolderName = Annotated[str, Field(max_length=4096, description="One that the settings allow, as GET folders has it.")]
_FolderPath = Annotated[str, Field(max_length=4096, description='Below it, with "/" between its parts.')]


# --- profiles --------------------------------------------------------------------------------


class MediumSize(BaseModel):
    """A usual size of a medium."""

    name: str
    size_bytes: int


class MediaProfile(BaseModel):
    """One application profile for media (PS3.11)."""

    name: str = Field(description='As the standard has it: "STD-GEN-CD".')
    title: str = Field(description='For people: "CD, uncompressed".')
    section: str
    medium: str
    sizes: list[MediumSize] = Field(description="Of the media that there are; none: they differ.")
    capacity_bytes: int | None = Field(description="Of a usual one; null: they differ.")
    file_system: str
    image: str = Field(description='The disc image that can be made: "ISO 9660 level 1", "UDF 1.50"; "" for none.')
    syntaxes: list[NamedUID]
    is_lossy_possible: bool
    is_every_class: bool = Field(description="Whether it takes objects of all classes.")

    @classmethod
    def of(cls, profile: Profile) -> Self:
        """The profile for the API."""
        medium = profile.medium
        return cls(
            name=profile.name,
            title=_title(profile),
            section=profile.section,
            medium=medium.title,
            sizes=[MediumSize(name=name, size_bytes=size_bytes) for name, size_bytes in medium.sizes],
            capacity_bytes=medium.capacity_bytes,
            file_system=profile.file_system.name,
            image=profile.file_system.name if profile.file_system.image else "",
            syntaxes=[NamedUID(uid=uid, name=name_of_uid(uid)) for uid in profile.syntaxes],
            is_lossy_possible=profile.is_lossy_possible,
            is_every_class=profile.sop_classes is None,
        )


_MEDIA: Final = {
    "CD": "CD",
    "DVD-RAM": "DVD-RAM",
    "DVD": "DVD",
    "BD": "Blu-ray disc",
    "USB": "USB stick",
    "MMC": "MultiMediaCard",
    "CF": "CompactFlash card",
    "SD": "SD card",
}
_COMPRESSIONS: Final = {"JPEG": "with JPEG", "J2K": "with JPEG 2000"}


def _title(profile: Profile) -> str:
    """The parts of a profile's name say what it is, as in STD-GEN-USB-J2K (PS3.11 Tables D.1-1 to M.1-1)."""
    _, kind, rest = (profile.narrows or profile.name).split("-", 2)
    medium, _, last = rest.rpartition("-")
    how = _COMPRESSIONS.get(last, "uncompressed")
    if last not in _COMPRESSIONS:
        medium = rest
    if profile.narrows:
        how = "objects of a workstation only"
    elif kind == "CTMR":
        how = "CT and MR only"
    return f"{_MEDIA.get(medium, medium)}, {how}"


# --- exports ---------------------------------------------------------------------------------


class MediaSelection(Selection):
    """What to export, and the medium that it is for."""

    profile: str = Field(max_length=64, description="The name of a profile.")
    with_loss: bool = Field(False, description="Whether images may be compressed with loss.")
    medium_bytes: int | None = Field(
        None, ge=1, le=_MOST_BYTES, description="What fits on one medium; null: as much as on a usual one."
    )

    def ask(self, *, skip_refused: bool = False) -> MediaAsk:
        """The same for the service. Raises ConfigurationError for nothing, InvalidUID."""
        from radfuse.services.export_media import MediaAsk

        return MediaAsk(
            self.profile,
            self.chosen(),
            with_loss=self.with_loss,
            skip_refused=skip_refused,
            medium_bytes=self.medium_bytes,
        )


class MediaForm(StrEnum):
    """What an export becomes: files to download, or a folder of the server."""

    ZIP = "zip"
    ISO = "iso"
    FOLDER = "folder"


class NewMediaExport(MediaSelection):
    """What to export, to which medium, as what."""

    form: MediaForm = MediaForm.ZIP
    folder: _FolderName = ""
    path: _FolderPath = ""
    skip_refused: bool = Field(False, description="Leave out what the profile refuses; else nothing is written.")
    priority: Priority = 5


class MediaVolume(BaseModel):
    """What one medium will hold. Sizes are estimates where objects are converted."""

    number: int
    studies: int
    objects: int
    size_bytes: int


class MediaConversion(BaseModel):
    """How many objects get another transfer syntax; syntaxes by name."""

    from_syntax: str
    to_syntax: str
    objects: int


class MediaRefusal(BaseModel):
    """What the profile does not take, and why."""

    sop_class: str
    objects: int
    rule: str
    sentence: str


class MediaPlan(BaseModel):
    """What an export will be; nothing has been written."""

    profile: str
    studies: int
    objects: int
    size_bytes: int
    volumes: list[MediaVolume]
    conversions: list[MediaConversion]
    refusals: list[MediaRefusal]
    refused: int = Field(description="How many objects these are; one may be refused by several rules.")
    warnings: list[str]

    @classmethod
    def of(cls, plan: dict[str, Any]) -> Self:
        """The plan for the API, from its JSON."""
        volumes = [
            MediaVolume(
                number=each["number"], studies=each["studies"], objects=each["objects"], size_bytes=each["bytes"]
            )
            for each in plan["volumes"]
        ]
        conversions = [
            MediaConversion(from_syntax=each["from"], to_syntax=each["to"], objects=each["objects"])
            for each in plan["conversions"]
        ]
        return cls(
            profile=plan["profile"],
            studies=plan["studies"],
            objects=plan["objects"],
            size_bytes=plan["bytes"],
            volumes=volumes,
            conversions=conversions,
            refusals=[MediaRefusal(**each) for each in plan["refusals"]],
            refused=plan["refused"],
            warnings=plan["warnings"],
        )


class MediaFile(BaseModel):
    """One volume of an export, to be downloaded."""

    volume: int
    name: str
    size_bytes: int


class MediaExport(BaseModel):
    """An export and its files: none while it is written, when it went into a folder, and after a day."""

    job: Job
    form: MediaForm
    files: list[MediaFile]


# --- folders and imports ---------------------------------------------------------------------


class FolderUse(StrEnum):
    """What a folder of the server is looked for."""

    IMPORT = "import"
    EXPORT = "export"


class MediaPlace(BaseModel):
    """A folder, zip archive or disc image of the server."""

    folder: str = Field(description="The allowed one that it is in.")
    path: str = Field(description='Below it; "" is the folder itself.')
    name: str
    kind: PlaceKind
    is_readable: bool
    is_writable: bool
    holds_dicomdir: bool
    size_bytes: int


class MediaPlaces(BaseModel):
    """What a folder holds, by name."""

    places: list[MediaPlace]
    has_more: bool

    @classmethod
    def of(cls, found: Places) -> Self:
        """The places for the API."""
        places = [
            MediaPlace(
                folder=each.folder,
                path=each.path,
                name=each.name,
                kind=each.kind,
                is_readable=each.is_readable,
                is_writable=each.is_writable,
                holds_dicomdir=each.holds_dicomdir,
                size_bytes=each.size_bytes,
            )
            for each in found.places
        ]
        return cls(places=places, has_more=found.has_more)


class NewMediaImport(BaseModel):
    """What to import: a folder of the server, or a file in it."""

    folder: _FolderName
    path: _FolderPath = ""
    database: str = Field(DEFAULT_DATABASE, max_length=64)
    priority: Priority = 5


class ImportedFile(BaseModel):
    """A file that was refused, and why."""

    name: str
    reason: str


class ImportFinding(BaseModel):
    """What is wrong with media whose objects were taken all the same: their own content decides."""

    kind: str
    count: int


class ImportReport(BaseModel):
    """What became of the files of an import, those in zip files and images too."""

    taken: int
    already_there: int
    refused: int
    ignored: int = Field(description="Not DICOM, and the directories of media.")
    from_before: int = Field(description="Of all these, what an earlier, interrupted run had done.")
    refused_files: list[ImportedFile] = Field(description="The first ones.")
    findings: list[ImportFinding]
    finding_sentences: list[str] = Field(description="The first ones.")

    @classmethod
    def of(cls, report: Mapping[str, Any], path: str) -> Self:
        """The report for the API, from its JSON; files are named from ``path`` on, which was imported."""

        def shown(text: str) -> str:
            return text.replace(f"{path}/", "").replace(f"{path}: ", "")

        return cls(
            taken=report["Stored"] + report["Replaced"],
            already_there=report["AlreadyKept"] + report["FirstKept"],
            refused=report["Refused"],
            ignored=report["NotDicom"] + report["Directory"],
            from_before=report["FromBefore"],
            refused_files=[
                ImportedFile(name=shown(each["File"]), reason=each["Reason"]) for each in report["RefusedFiles"]
            ],
            findings=[ImportFinding(kind=kind, count=count) for kind, count in report["Findings"].items()],
            finding_sentences=list(map(shown, report["FindingSentences"])),
        )


class MediaImport(BaseModel):
    """An import; ``report`` is there once it is done."""

    job: Job
    report: ImportReport | None
