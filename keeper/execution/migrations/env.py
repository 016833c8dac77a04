"""Runs the journal's migrations on the connection that keeper.execution.database hands over."""

from alembic import context

from keeper.execution.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
