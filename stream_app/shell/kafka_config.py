"""What the local broker is told: text only. One node, one user, little memory.

Paths are relative to the data folder, where Java is started: so a folder's name
may hold what a properties file, a list or XML would take for something else.
"""

from typing import NamedTuple

from stream_app.contract.topics import MB, RECORD_BYTES_MAX

HOST = "127.0.0.1"  # nobody else: there is no password


# To a file, at most 4 x 10 MB.
LOG4J2_XML = """\
<Configuration status="warn">
  <Appenders>
    <RollingFile name="file" fileName="logs/broker.log" filePattern="logs/broker.log.%i">
      <PatternLayout pattern="%d %p %m (%c)%n"/>
      <SizeBasedTriggeringPolicy size="10MB"/>
      <DefaultRolloverStrategy max="3"/>
    </RollingFile>
  </Appenders>
  <Loggers>
    <Root level="info"><AppenderRef ref="file"/></Root>
    <Logger name="org.apache.kafka.common.config.AbstractConfig" level="warn"/>
  </Loggers>
</Configuration>
"""


class Ports(NamedTuple):
    clients: int
    controller: int


def server_properties(ports: Ports) -> str:
    """Give Kafka's own configuration file.

    >>> "listeners=PLAINTEXT://127.0.0.1:9092" in server_properties(Ports(9092, 9093))
    True
    """
    lines = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{HOST}:{ports.controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{HOST}:{ports.clients},CONTROLLER://{HOST}:{ports.controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{ports.clients}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": "log",
        # A misspelt topic is an error, not a new topic of one partition.
        "auto.create.topics.enable": "false",
        "message.max.bytes": RECORD_BYTES_MAX,
        # One node: nothing can be copied, nobody is waited for.
        "default.replication.factor": 1,
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        # 50 partitions each are for clusters; each costs files and time at the start.
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.num.partitions": 4,
        # Two cores and 512 MB: the defaults are for a machine of its own.
        "num.network.threads": 2,
        "num.io.threads": 4,
        "log.cleaner.dedupe.buffer.size": 16 * MB,
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())
