"""Configuration: how we talk to each peer, and the lists of presentation contexts to propose."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def _flag(name: str, value: bool) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.true() if value else sa.false())


def _text(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default=default)


def upgrade() -> None:
    """Peers of before keep their rights and get the defaults for everything new."""
    columns: tuple[sa.Column[Any], ...] = (
        *(_flag(name, True) for name in ("may_commit", "send", "query", "retrieve", "commit")),
        _flag("tls", False),
        _text("tls_name"),
        _text("calling_ae_title"),
        *(sa.Column(name, sa.Float) for name in ("artim_s", "connect_s", "response_s")),
        sa.Column("max_pdu_bytes", sa.Integer),
        _text("context_list", "dbx"),
        sa.Column("preferred_syntaxes", sa.JSON, nullable=False, server_default="[]"),
        _text("lossy_syntax"),
        _flag("lenient_statuses", False),
        sa.Column("retries", sa.Integer),
        sa.Column("retry_delay_s", sa.Float, nullable=False, server_default="60"),
        sa.Column("concurrency", sa.Integer, nullable=False, server_default="1"),
    )
    for column in columns:
        op.add_column("peer", column)
    op.create_table(
        "context_list",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("sop_classes", sa.JSON, nullable=False),
        sa.Column("transfer_syntaxes", sa.JSON, nullable=False),
    )
