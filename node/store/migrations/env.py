"""What alembic runs: the migrations, on the connection and inside the transaction that `node.store.schema` hands over."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
