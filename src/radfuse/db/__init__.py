"""Databases: engines with the right durability, schema migrations, transactions."""

from radfuse.db.changes import CommitWatch
from radfuse.db.engine import (
    create_database_engine,
    is_out_of_space,
    read_transaction,
    sqlite_url,
    translate_database_errors,
    write_transaction,
)
from radfuse.db.migrate import Schema, prepare_schema
from radfuse.db.private import make_private

__all__ = [
    "CommitWatch",
    "Schema",
    "create_database_engine",
    "is_out_of_space",
    "make_private",
    "prepare_schema",
    "read_transaction",
    "sqlite_url",
    "translate_database_errors",
    "write_transaction",
]
