"""The configuration database, ``config.sqlite`` in the data folder: its tables, and how it is opened."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import JSON, Boolean, Column, Engine, Float, ForeignKey, Integer, MetaData, Table, Text

from radfuse.db import Schema, create_database_engine, make_private, prepare_schema, sqlite_url

metadata = MetaData()


def open_configuration(folder: Path) -> Engine:
    """The configuration database of a data folder, made or upgraded if need be. Raises SchemaTooNew."""
    path = folder / "config.sqlite"
    # It holds what is kept of passwords: nobody else on the machine may try them.
    make_private(path)
    engine = create_database_engine(sqlite_url(path), synced_commits=True)
    prepare_schema(engine, Schema.CONFIG)
    return engine


peer_table = Table(
    "peer",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("ae_title", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("may_store", Boolean, nullable=False),
    Column("may_query", Boolean, nullable=False),
    Column("may_retrieve", Boolean, nullable=False),
    Column("may_commit", Boolean, nullable=False),
    Column("send", Boolean, nullable=False),
    Column("query", Boolean, nullable=False),
    Column("retrieve", Boolean, nullable=False),
    Column("commit", Boolean, nullable=False),
    Column("tls", Boolean, nullable=False),
    Column("tls_name", Text, nullable=False),
    Column("calling_ae_title", Text, nullable=False),
    Column("artim_s", Float),
    Column("connect_s", Float),
    Column("response_s", Float),
    Column("max_pdu_bytes", Integer),
    Column("context_list", Text, nullable=False),
    Column("preferred_syntaxes", JSON, nullable=False),
    Column("lossy_syntax", Text, nullable=False),
    Column("lenient_statuses", Boolean, nullable=False),
    Column("retries", Integer),
    Column("retry_delay_s", Float, nullable=False),
    Column("concurrency", Integer, nullable=False),
)
"""One row a peer; the columns are the fields of ``services.peers.Peer``."""

context_list_table = Table(
    "context_list",
    metadata,
    Column("name", Text, primary_key=True),
    Column("sop_classes", JSON, nullable=False),
    Column("transfer_syntaxes", JSON, nullable=False),
    Column("storage_negotiation", Boolean, nullable=False),
)
"""Own context lists, and built-in ones that were edited."""

rule_table = Table(
    "rule",
    metadata,
    Column("name", Text, primary_key=True),
    Column("definition", JSON, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("active_since_s", Float, nullable=False, comment="what arrived before is none of its business"),
)
"""Routing rules as they were added (``services.rules``)."""

user_table = Table(
    "user",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("full_name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password", Text, nullable=False, comment="argon2id, never the password"),
    Column("is_enabled", Boolean, nullable=False),
    Column("created_s", Float, nullable=False),
    Column("last_login_s", Float),
    sqlite_autoincrement=True,
)
"""Those who may log in (``services.users``). An id is never used twice: nobody inherits what another was given."""

session_table = Table(
    "web_session",
    metadata,
    Column("digest", Text, primary_key=True, comment="SHA-256 of the secret in the cookie"),
    Column("user_id", Integer, ForeignKey("user.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_s", Float, nullable=False),
    Column("seen_s", Float, nullable=False),
)
"""Those who are logged in."""

token_table = Table(
    "token",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", Text, nullable=False, unique=True, comment="SHA-256 of the token"),
    Column("user_id", Integer, ForeignKey("user.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_s", Float, nullable=False),
    Column("expires_s", Float),
    Column("last_used_s", Float),
)
"""What programs log in with."""
