"""The tables of the index: patient > study > series > instance, and objects without a patient.

Text columns that are matched by prefix use the binary order of code points on every database
(SQLite does by default; PostgreSQL needs collation "C"). The migrations in ``radfuse.db`` create
these tables; a test holds the two together.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

metadata = MetaData()

BINARY_TEXT: TypeEngine[str] = Text().with_variant(Text(collation="C"), "postgresql")


def _text(name: str) -> Column[str]:
    return Column(name, BINARY_TEXT, nullable=False, server_default="")


def _name_columns(prefix: str) -> list[Column[str]]:
    """A person name as received and its three component groups folded for matching."""
    return [_text(prefix), *(_text(f"{prefix}_{group}") for group in ("alphabetic", "ideographic", "phonetic"))]


uid_word = Table(
    "uid_word",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uid", BINARY_TEXT, nullable=False, unique=True),
    comment="SOP classes and transfer syntaxes, each stored once",
)

patient = Table(
    "patient",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("identity_key", BINARY_TEXT, nullable=False, unique=True),
    _text("patient_id"),
    _text("issuer"),
    *_name_columns("name"),
    _text("birth_date"),
    _text("sex"),
)

study = Table(
    "study",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("patient_fk", Integer, ForeignKey("patient.id"), nullable=False),
    Column("study_instance_uid", BINARY_TEXT, nullable=False, unique=True),
    _text("study_date"),
    _text("study_time"),
    _text("study_time_key"),
    _text("accession_number"),
    _text("study_id"),
    _text("description"),
    *_name_columns("referring_physician"),
)

series = Table(
    "series",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("study_fk", Integer, ForeignKey("study.id"), nullable=False),
    Column("series_instance_uid", BINARY_TEXT, nullable=False),
    _text("modality"),
    _text("series_number"),
    _text("series_date"),
    _text("series_time"),
    _text("series_time_key"),
    _text("description"),
    _text("body_part"),
    _text("frame_of_reference_uid"),
    UniqueConstraint("study_fk", "series_instance_uid", name="series_identity"),
    # Processes remember ids of series. One that is given twice would put objects under another patient.
    sqlite_autoincrement=True,
)


def _object_columns() -> list[Column[object]]:
    """What is known of every kept object: what it is, where it lies, how it is proved."""
    return [
        Column("sop_instance_uid", BINARY_TEXT, nullable=False, unique=True),
        Column("sop_class_fk", Integer, ForeignKey("uid_word.id"), nullable=False),
        Column("transfer_syntax_fk", Integer, ForeignKey("uid_word.id"), nullable=False),
        Column("blob_id", LargeBinary, nullable=False),
        Column("size_bytes", BigInteger, nullable=False),
        Column("digest", LargeBinary, nullable=False),
        Column("arrived_s", BigInteger, nullable=False),
    ]


instance = Table(
    "instance",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("series_fk", Integer, ForeignKey("series.id"), nullable=False),
    _text("instance_number"),
    *_object_columns(),
    # Followers of the arrivals remember numbers. One that is given twice would hide an arrival from them.
    sqlite_autoincrement=True,
)

non_patient_object = Table(
    "non_patient_object",
    metadata,
    Column("id", Integer, primary_key=True),
    *_object_columns(),
    comment="implant templates: objects of the Non-Patient Object Storage service",
)

deleted_blob = Table(
    "deleted_blob",
    metadata,
    Column("blob_id", LargeBinary, primary_key=True),
    Column("deleted_s", BigInteger, nullable=False),
    comment="so that replaying the ingest journal after a crash never brings a deleted object back",
)

leaving_blob = Table(
    "leaving_blob",
    metadata,
    Column("blob_id", LargeBinary, primary_key=True),
    comment="objects that will be deleted once another node has them: what comes again is a copy of its own",
)

index_identity = Table(
    "index_identity",
    metadata,
    Column("identity", BINARY_TEXT, primary_key=True),
    comment="one row, made with the index: a rebuilt index numbers its instances anew",
)

Index("patient_by_id", patient.c.patient_id)
Index("patient_by_name_alphabetic", patient.c.name_alphabetic)
Index("patient_by_name_ideographic", patient.c.name_ideographic)
Index("patient_by_name_phonetic", patient.c.name_phonetic)
Index("study_by_patient", study.c.patient_fk)
Index("study_by_date", study.c.study_date)
Index("study_by_accession_number", study.c.accession_number)
Index("study_by_description", study.c.description)
Index("series_by_uid", series.c.series_instance_uid)
Index("series_by_modality", series.c.modality, series.c.study_fk)
# They hold what is counted and summed: a study of thousands of objects is never read row by row.
Index("instance_by_series", instance.c.series_fk, instance.c.arrived_s, instance.c.size_bytes)
Index("instance_by_arrival", instance.c.arrived_s, instance.c.series_fk, instance.c.size_bytes)
