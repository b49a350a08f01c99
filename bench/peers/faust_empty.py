"""A Faust agent that does nothing, as the first page of its documentation has it.

docs: faust-streaming.github.io, "User Guide: Agents". Keys and values stay bytes: an agent
that decodes them is slower.
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


@app.agent(events)
async def read(stream: AsyncIterable[bytes]) -> None:
    async for _ in stream:
        pass


if __name__ == "__main__":
    app.main()
