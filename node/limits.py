"""What a peer may cost us: gRPC's options for every listener and every channel, each with the attack that it prevents.

With gRPC's defaults one hostile peer takes 1.4 GB with 100 unread streams, cancels other callers by rapid reset, and
holds silent connections open for ever. These options are given to `grpc.server(options=…)` and
`grpc.secure_channel(options=…)`.
"""

from typing import Final

Option = tuple[str, int]

MAX_MESSAGE_BYTES: Final = 1024 * 1024
"""A batch is at most 512 KiB (PROTOCOL.md, 2); the rest is room for framing and an officer's evidence file."""

MAX_STREAMS_PER_CONNECTION: Final = 16
"""A partner needs one subscription and a few calls beside it."""

MAX_CONNECTIONS: Final = 256
"""Partners number in tens, officers in hundreds, and each keeps one connection."""

_BOTH_SIDES: Final[tuple[Option, ...]] = (
    # A message of any size would be buffered whole before our own caps see it.
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    # A mistake of ours must fail here and not as a refusal at the partner, where it would look like an attack.
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # Headers are held per stream and are read before any identity is checked; above the first size requests are
    # refused at random, above the second always.
    ("grpc.max_metadata_size", 4096),
    ("grpc.absolute_max_metadata_size", 8192),
    # Bandwidth probing widens the flow-control window to megabytes a stream, which a peer fills and never lets drain.
    ("grpc.http2.bdp_probe", 0),
    # The window that remains: what one stream may have in flight and unread.
    ("grpc.http2.lookahead_bytes", 65536),
    # A peer whose machine died or whose cable was cut would hold its stream and its memory until TCP gives up, hours
    # later.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    # A connection that is opened and then never speaks HTTP/2.
    ("grpc.http2.settings_timeout", 5_000),
)

SERVER_OPTIONS: Final[tuple[Option, ...]] = (
    *_BOTH_SIDES,
    # Hundreds of unread streams on one connection, each with its own window; and rapid reset, which opens and cancels
    # them.
    ("grpc.max_concurrent_streams", MAX_STREAMS_PER_CONNECTION),
    # Connections until no file descriptor is left for the other partners.
    ("grpc.max_allowed_incoming_connections", MAX_CONNECTIONS),
    # A connection that is opened and then stalls in the middle of the TLS handshake.
    ("grpc.server_handshake_timeout_ms", 5_000),
    # A flood of pings, each of which must be answered: two too many end the connection.
    ("grpc.http2.max_ping_strikes", 2),
    # Pings are too many when closer than this, which is below the 20 s of an honest partner. With gRPC's own five
    # minutes a quiet stream was cut off after three (measured: 180 s; with this, it lived on).
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    # A connection that outlives the certificate it was opened with: a new handshake at least every quarter of an hour.
    ("grpc.max_connection_age_ms", 900_000),
    ("grpc.max_connection_age_grace_ms", 30_000),
    # A second process on this machine could bind the same port and take a share of the partners' connections.
    ("grpc.so_reuseport", 0),
)

CHANNEL_OPTIONS: Final[tuple[Option, ...]] = (
    *_BOTH_SIDES,
    # gRPC would send a call again by a policy of its own; what is sent again, and when, is decided by whoever called.
    ("grpc.enable_retries", 0),
    # Whoever controls the partner's DNS could otherwise set our retry and load-balancing policy through a TXT record.
    ("grpc.service_config_disable_resolution", 1),
)
