"""The world: Kafka, Faust, clocks, files, the environment. Nobody imports it."""
