"""Databases: engines with the right durability, schema migrations, transactions."""

from radfuse.db.engine import (
    create_database_engine,
    is_out_of_space,
    read_transaction,
    sqlite_url,
    translate_database_errors,
    write_transaction,
)
from radfuse.db.migrate import Schema, prepare_schema

__all__ = [
    "Schema",
    "create_database_engine",
    "is_out_of_space",
    "prepare_schema",
    "read_transaction",
    "sqlite_url",
    "translate_database_errors",
    "write_transaction",
]
