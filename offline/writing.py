"""What offline's producers of records have in common. Not here: what each writes, and when."""

from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import PARTITIONER, RECORD_BYTES_MAX


def writer_config(kafka: KafkaSettings) -> dict[str, object]:
    """What a writer is made with: confirmed by all, in order, none twice."""
    return {
        "bootstrap.servers": kafka.bootstrap_servers,
        "enable.idempotence": True,  # and with it acks=all, in order
        "partitioner": PARTITIONER,
        "message.max.bytes": RECORD_BYTES_MAX,
        "log_level": 2,  # what failed is told once, by us
    }
