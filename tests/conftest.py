"""gRPC reads its cipher list when it is imported, so the list is set before any test imports it."""

from node.tls13 import pin_tls13

pin_tls13()
