"""Runs the migrations of this folder in the transaction that ``radfuse.db.migrate`` hands over."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
