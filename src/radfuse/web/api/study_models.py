"""What is kept, as the API says it: attributes by their DICOM keyword, everything else in snake_case with its unit."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, Field

from radfuse.archive.queries import InstanceRow, SeriesRow, StudyRow
from radfuse.dicom.web import AttributeLine, uid_name
from radfuse.services.browse import Badges, has_picture
from radfuse.services.browse import HistoryEntry as HistoryRow
from radfuse.services.databases import DEFAULT_DATABASE

_DICOMWEB: Final = "/dicom-web"


class ArrivingBadge(BaseModel):
    """Objects came within the last seconds."""

    kind: Literal["arriving"] = "arriving"


class SentBadge(BaseModel):
    """Sent, to each of these peers, by jobs that are still known."""

    kind: Literal["sent"] = "sent"
    peers: list[str]


class LeavingBadge(BaseModel):
    """Will be deleted at ``due_s``, by job ``job``: cancelling that undoes it."""

    kind: Literal["leaving"] = "leaving"
    due_s: float
    job: int


class SessionBadge(BaseModel):
    """A session of the workstation was saved in it."""

    kind: Literal["session"] = "session"


Badge = Annotated[ArrivingBadge | SentBadge | LeavingBadge | SessionBadge, Field(discriminator="kind")]


def badges(of: Badges) -> list[Badge]:
    """The badges for the API."""
    found: list[Badge] = []
    if of.is_arriving:
        found.append(ArrivingBadge())
    if of.sent_to:
        found.append(SentBadge(peers=list(of.sent_to)))
    if of.leaving is not None:
        found.append(LeavingBadge(due_s=of.leaving.due_s, job=of.leaving.job))
    if of.has_session:
        found.append(SessionBadge())
    return found


class Study(BaseModel):
    """A study, and what is kept of it."""

    StudyInstanceUID: str
    PatientName: str
    PatientID: str
    IssuerOfPatientID: str
    PatientBirthDate: str
    PatientSex: str
    StudyDate: str
    StudyTime: str
    StudyID: str
    StudyDescription: str
    AccessionNumber: str
    ReferringPhysicianName: str
    ModalitiesInStudy: list[str]
    NumberOfStudyRelatedSeries: int
    NumberOfStudyRelatedInstances: int
    size_bytes: int
    first_arrived_s: int
    last_arrived_s: int
    badges: list[Badge]

    @classmethod
    def of(cls, row: StudyRow, what_goes_on: Badges) -> Self:
        """The study for the API."""
        return cls(
            StudyInstanceUID=row.study_instance_uid,
            PatientName=row.patient_name,
            PatientID=row.patient_id,
            IssuerOfPatientID=row.issuer,
            PatientBirthDate=row.birth_date,
            PatientSex=row.sex,
            StudyDate=row.study_date,
            StudyTime=row.study_time,
            StudyID=row.study_id,
            StudyDescription=row.description,
            AccessionNumber=row.accession_number,
            ReferringPhysicianName=row.referring_physician,
            ModalitiesInStudy=list(row.modalities),
            NumberOfStudyRelatedSeries=row.series,
            NumberOfStudyRelatedInstances=row.instances,
            size_bytes=row.size_bytes,
            first_arrived_s=row.first_arrived_s,
            last_arrived_s=row.last_arrived_s,
            badges=badges(what_goes_on),
        )


class UnderstoodWord(BaseModel):
    """A word or phrase of a search, and what it was taken for."""

    text: str
    meaning: str


class StudyPage(BaseModel):
    """A page of the list of studies."""

    studies: list[Study]
    next: str | None = Field(description="The cursor of the next page; null at the end.")
    understood: list[UnderstoodWord]


class Series(BaseModel):
    """A series, and what is kept of it."""

    SeriesInstanceUID: str
    Modality: str
    SeriesNumber: str
    SeriesDescription: str
    BodyPartExamined: str
    SeriesDate: str
    SeriesTime: str
    FrameOfReferenceUID: str
    NumberOfSeriesRelatedInstances: int
    size_bytes: int
    last_arrived_s: int
    thumbnail: str = Field(description='Relative address of a small picture; "" for what has no pixels.')

    @classmethod
    def of(cls, row: SeriesRow, study: str, database: str) -> Self:
        """The series for the API."""
        middle = row.middle
        address = thumbnail(database, study, row.series_instance_uid, middle) if middle is not None else ""
        return cls(
            SeriesInstanceUID=row.series_instance_uid,
            Modality=row.modality,
            SeriesNumber=row.series_number,
            SeriesDescription=row.description,
            BodyPartExamined=row.body_part,
            SeriesDate=row.series_date,
            SeriesTime=row.series_time,
            FrameOfReferenceUID=row.frame_of_reference_uid,
            NumberOfSeriesRelatedInstances=row.instances,
            size_bytes=row.size_bytes,
            last_arrived_s=row.last_arrived_s,
            thumbnail=address,
        )


def thumbnail(database: str, study: str, series: str, instance: InstanceRow) -> str:
    """The address of an instance's small picture, "" when it has no pixels."""
    if not has_picture(instance.sop_class_uid):
        return ""
    prefix = "" if database == DEFAULT_DATABASE else f"/databases/{database}"
    where = f"/studies/{study}/series/{series}/instances/{instance.sop_instance_uid}/thumbnail"
    return prefix + _DICOMWEB + where


class StudyHolding(BaseModel):
    """How much of a study is here."""

    instances: int


class StudyDetail(BaseModel):
    """A study and its series, by number."""

    study: Study
    series: list[Series]


class Instance(BaseModel):
    """One object."""

    SOPInstanceUID: str
    SOPClassUID: str
    sop_class_name: str
    InstanceNumber: str
    TransferSyntaxUID: str
    transfer_syntax_name: str
    size_bytes: int
    arrived_s: int
    thumbnail: str

    @classmethod
    def of(cls, row: InstanceRow, study: str, series: str, database: str) -> Self:
        """The instance for the API."""
        return cls(
            SOPInstanceUID=row.sop_instance_uid,
            SOPClassUID=row.sop_class_uid,
            sop_class_name=uid_name(row.sop_class_uid),
            InstanceNumber=row.instance_number,
            TransferSyntaxUID=row.transfer_syntax_uid,
            transfer_syntax_name=uid_name(row.transfer_syntax_uid),
            size_bytes=row.size_bytes,
            arrived_s=row.arrived_s,
            thumbnail=thumbnail(database, study, series, row),
        )


class InstancePage(BaseModel):
    """A page of the instances of a series, by number."""

    instances: list[Instance]
    next: str | None = Field(description="The cursor of the next page; null at the end.")


class Attribute(BaseModel):
    """One line of an object's attributes."""

    tag: str
    keyword: str
    name: str
    vr: str
    value: str = Field(description="For people: several values joined, long or binary ones cut short and said to be.")
    depth: int
    item: str = Field(description='"1" for the first item of the sequence above, "1.2" within that, "" at the top.')

    @classmethod
    def of(cls, line: AttributeLine) -> Self:
        """The line for the API."""
        return cls(
            tag=line.tag,
            keyword=line.keyword,
            name=line.name,
            vr=line.vr,
            value=line.value,
            depth=line.depth,
            item=line.item,
        )


class HistoryEntry(BaseModel):
    """One thing that happened to a study."""

    time_s: float
    user: str
    what: str
    job: int | None

    @classmethod
    def of(cls, row: HistoryRow) -> Self:
        """The entry for the API."""
        return cls(time_s=row.time_s, user=row.user, what=row.what, job=row.job)
