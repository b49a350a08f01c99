"""A Faust agent that sends on what it reads, and awaits each send.

docs: faust-streaming.github.io, "User Guide: Agents" and "Topics". Keys and values stay bytes.
"""

import os
from collections.abc import AsyncIterable

import faust

app = faust.App(
    os.environ["BENCH_GROUP"],
    broker=f"kafka://{os.environ['BENCH_BROKERS']}",
    broker_commit_interval=1.0,  # 2.8 s by itself; once a second, so that progress can be seen
    topic_disable_leader=True,
)
events = app.topic(os.environ["BENCH_EVENTS"], value_type=bytes, value_serializer="raw")
output = app.topic(os.environ["BENCH_OUTPUT"], value_type=bytes, value_serializer="raw")


@app.agent(events)
async def send_on(stream: AsyncIterable[bytes]) -> None:
    async for value in stream:
        await output.send(value=value)


if __name__ == "__main__":
    app.main()
