"""The fixed statements of the index's writer, compiled once for the dialect of its database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Engine, Table, bindparam, delete, insert, literal_column, select
from sqlalchemy.sql.expression import Executable

from radfuse.archive.index import schema


@dataclass(frozen=True, slots=True)
class Prune:
    """Removing an entity that has nothing below it any more, and finding what is above it."""

    select_parent: str
    delete_if_empty: str


class Statements:
    """The fixed statements, compiled for the dialect."""

    def __init__(self, compiler: Compiler) -> None:
        objects = (schema.instance, schema.non_patient_object)
        object_columns = [column.name for column in schema.non_patient_object.columns if column.name != "id"]
        self.select_existing = " UNION ALL ".join(
            compiler.text(
                select(table.c.blob_id, table.c.digest, table.c.arrived_s, _is_leaving(table)).where(
                    table.c.sop_instance_uid == bindparam("uid")
                )
            )
            for table in objects
        )
        self.delete_object = [
            compiler.text(
                delete(table).where(table.c.sop_instance_uid == bindparam("uid"), table.c.blob_id == bindparam("blob"))
            )
            for table in objects
        ]
        self.select_object, self.select_leaving = (
            _selections(compiler, leaving=False),
            _selections(compiler, leaving=True),
        )
        self.insert_leaving = compiler.insert("leaving_blob", ("blob_id",))
        self.delete_leaving = compiler.text(
            delete(schema.leaving_blob).where(schema.leaving_blob.c.blob_id == bindparam("blob"))
        )
        self.prune = (
            _prune(compiler, schema.series, "study_fk", schema.instance, "series_fk"),
            _prune(compiler, schema.study, "patient_fk", schema.series, "study_fk"),
            _prune(compiler, schema.patient, "id", schema.study, "patient_fk"),
        )
        self.insert_instance = compiler.insert("instance", ("series_fk", "instance_number", *object_columns))
        self.insert_non_patient = compiler.insert("non_patient_object", tuple(object_columns))
        self.select_study_patient = compiler.text(
            select(schema.study.c.patient_fk).where(schema.study.c.id == bindparam("id"))
        )
        self._compile_tombstones(compiler)

    def _compile_tombstones(self, compiler: Compiler) -> None:
        deleted = schema.deleted_blob
        its_row = deleted.c.blob_id == bindparam("blob")
        self.insert_deleted = compiler.insert("deleted_blob", ("blob_id", "deleted_s"))
        self.select_deleted = compiler.text(select(deleted.c.deleted_s).where(its_row))
        self.select_tombstones = compiler.text(
            select(deleted.c.blob_id).where(deleted.c.deleted_s < bindparam("before"))
        )
        self.delete_tombstone = compiler.text(delete(deleted).where(its_row))


def _selections(compiler: Compiler, *, leaving: bool) -> list[str]:
    """Arrival and parent of an object by UID and blob id, of both kinds; with ``leaving`` only if it is."""
    kinds = ((schema.instance, (schema.instance.c.series_fk,)), (schema.non_patient_object, ()))
    return [
        compiler.text(
            select(table.c.arrived_s, *parent).where(
                table.c.sop_instance_uid == bindparam("uid"),
                table.c.blob_id == bindparam("blob"),
                *((_is_leaving(table),) if leaving else ()),
            )
        )
        for table, parent in kinds
    ]


def _is_leaving(table: Table) -> ColumnElement[bool]:
    leaving = schema.leaving_blob.c.blob_id
    return select(literal_column("1")).where(leaving == table.c.blob_id).correlate(table).exists()


def _prune(compiler: Compiler, table: Table, parent: str, child: Table, reference: str) -> Prune:
    its_child = select(literal_column("1")).where(child.c[reference] == table.c.id).exists()
    return Prune(
        compiler.text(select(table.c[parent]).where(table.c.id == bindparam("id"))),
        compiler.text(delete(table).where(table.c.id == bindparam("id"), ~its_child)),
    )


def _postgresql() -> Dialect:
    from sqlalchemy.dialects import postgresql

    # psycopg's own connection takes %s; the default paramstyle of the dialect is by name.
    return postgresql.dialect(paramstyle="format")  # type: ignore[no-untyped-call]


class Compiler:
    """Statements as text in the dialect of the database, positional parameters in order."""

    def __init__(self, engine: Engine) -> None:
        self._dialect = engine.dialect if engine.dialect.name == "sqlite" else _postgresql()
        self._upserts: dict[tuple[str, tuple[str, ...]], tuple[str, str]] = {}

    def text(self, statement: Executable) -> str:
        """The statement's SQL text."""
        return str(statement.compile(dialect=self._dialect))  # type: ignore[attr-defined]

    def insert(self, table: str, columns: tuple[str, ...]) -> str:
        """An INSERT that does nothing when the row is already there."""
        values: dict[str, Any] = {name: bindparam(name) for name in columns}
        # Inline: without the RETURNING that PostgreSQL's dialect would put before what we append.
        statement = insert(schema.metadata.tables[table]).values(values).inline()
        compiled = statement.compile(dialect=self._dialect, column_keys=list(columns))
        order = compiled.positiontup or []
        if tuple(order) != columns:
            raise AssertionError(f"columns of {table} must be given in the order of the table: {order}")
        return f"{compiled} ON CONFLICT DO NOTHING"

    def upsert(self, table: str, identity: tuple[str, ...], columns: tuple[str, ...]) -> tuple[str, str]:
        """SELECT of the id by identity, and the INSERT."""
        key = (table, columns)
        if key not in self._upserts:
            target = schema.metadata.tables[table]
            where = [target.c[name] == bindparam(name) for name in identity]
            self._upserts[key] = (self.text(select(target.c.id).where(*where)), self.insert(table, columns))
        return self._upserts[key]
