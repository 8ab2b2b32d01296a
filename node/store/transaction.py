"""The name by which operations speak of a transaction that they hold and pass on, and never look into."""

from sqlalchemy import Connection

Transaction = Connection
