"""Runs the migrations of this folder on the engine that ``radfuse.db.migrate`` hands over."""

from alembic import context

engine = context.config.attributes["engine"]

with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
