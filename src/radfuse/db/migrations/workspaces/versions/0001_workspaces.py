"""Workspaces: drafts of the workstation, and the versions of each that did not become the newest."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables of workspaces and of their versions."""
    op.create_table(
        "workspace",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("database", sa.Text, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("made_s", sa.Float, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("newest", sa.Integer, nullable=False),
        sa.Column("changed_s", sa.Float, nullable=False, index=True),
    )
    op.create_index("ix_workspace_study", "workspace", ["database", "study"])
    op.create_table(
        "version",
        sa.Column("workspace", sa.Text, sa.ForeignKey("workspace.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("based_on", sa.Integer, nullable=False),
        sa.Column("changed_s", sa.Float, nullable=False),
        sa.Column("size_bytes", sa.Integer, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
    )
