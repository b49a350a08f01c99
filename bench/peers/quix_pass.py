"""Quix Streams sending on what it reads: its documentation's first pipeline, without a step.

docs: quix.io/docs/quix-streams, "Quickstart". Keys and values stay bytes.
"""

import os

from quixstreams import Application

app = Application(
    broker_address=os.environ["BENCH_BROKERS"],
    consumer_group=os.environ["BENCH_GROUP"],
    auto_offset_reset="earliest",
    commit_interval=1.0,  # 5 s by itself; once a second, so that progress can be seen
    loglevel="WARNING",
)
events = app.topic(os.environ["BENCH_EVENTS"], value_deserializer="bytes")
output = app.topic(os.environ["BENCH_OUTPUT"], value_serializer="bytes")
app.dataframe(events).to_topic(output)

if __name__ == "__main__":
    app.run()
