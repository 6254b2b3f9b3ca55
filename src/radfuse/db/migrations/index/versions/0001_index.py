"""The index: patient > study > series > instance, and objects without a patient."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, TEXT, nullable=False, server_default="")


def _name(prefix: str) -> list[sa.Column[str]]:
    return [_text(prefix), *(_text(f"{prefix}_{group}") for group in ("alphabetic", "ideographic", "phonetic"))]


def _object_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("sop_instance_uid", TEXT, nullable=False, unique=True),
        sa.Column("sop_class_fk", sa.Integer, sa.ForeignKey("uid_word.id"), nullable=False),
        sa.Column("transfer_syntax_fk", sa.Integer, sa.ForeignKey("uid_word.id"), nullable=False),
        sa.Column("blob_id", sa.LargeBinary, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("arrived_s", sa.BigInteger, nullable=False),
    ]


def _create_parents() -> None:
    op.create_table(
        "uid_word",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("uid", TEXT, nullable=False, unique=True),
        comment="SOP classes and transfer syntaxes, each stored once",
    )
    op.create_table(
        "patient",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("identity_key", TEXT, nullable=False, unique=True),
        *(_text(name) for name in ("patient_id", "issuer")),
        *_name("name"),
        *(_text(name) for name in ("birth_date", "sex")),
    )
    op.create_table(
        "study",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("patient_fk", sa.Integer, sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("study_instance_uid", TEXT, nullable=False, unique=True),
        *(_text(name) for name in ("study_date", "study_time", "study_time_key")),
        *(_text(name) for name in ("accession_number", "study_id", "description")),
        *_name("referring_physician"),
    )
    op.create_table(
        "series",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("study_fk", sa.Integer, sa.ForeignKey("study.id"), nullable=False),
        sa.Column("series_instance_uid", TEXT, nullable=False),
        *(_text(name) for name in ("modality", "series_number", "series_date", "series_time", "series_time_key")),
        *(_text(name) for name in ("description", "body_part", "frame_of_reference_uid")),
        sa.UniqueConstraint("study_fk", "series_instance_uid", name="series_identity"),
        sqlite_autoincrement=True,
    )


def _create_objects() -> None:
    op.create_table(
        "instance",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("series_fk", sa.Integer, sa.ForeignKey("series.id"), nullable=False),
        _text("instance_number"),
        *_object_columns(),
    )
    op.create_table(
        "non_patient_object",
        sa.Column("id", sa.Integer, primary_key=True),
        *_object_columns(),
        comment="implant templates: objects of the Non-Patient Object Storage service",
    )
    op.create_table(
        "deleted_blob",
        sa.Column("blob_id", sa.LargeBinary, primary_key=True),
        sa.Column("deleted_s", sa.BigInteger, nullable=False),
        comment="so that replaying the ingest journal after a crash never brings a deleted object back",
    )


INDEXES = (
    ("patient_by_id", "patient", "patient_id"),
    ("patient_by_name_alphabetic", "patient", "name_alphabetic"),
    ("patient_by_name_ideographic", "patient", "name_ideographic"),
    ("patient_by_name_phonetic", "patient", "name_phonetic"),
    ("study_by_patient", "study", "patient_fk"),
    ("study_by_date", "study", "study_date"),
    ("study_by_accession_number", "study", "accession_number"),
    ("series_by_uid", "series", "series_instance_uid"),
    ("instance_by_series", "instance", "series_fk"),
)


def upgrade() -> None:
    """Create the index."""
    _create_parents()
    _create_objects()
    for name, table, column in INDEXES:
        op.create_index(name, table, [column])
