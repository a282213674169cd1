"""How a small Kafka of one node is set up, wherever it runs: as a process here, in a container."""

BROKER_SETTINGS = {
    # Topics come from topics.yaml only.
    "auto.create.topics.enable": "false",
    # One node keeps one copy.
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    # A group of ours starts at once, and a killed member may be missed soon.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # After a kill the broker is let in again only when its old session is over: 9 s by default.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # By default the controller writes twice a second that it is there, for other nodes. Not 0:
    # without such records a killed broker was let in again after 24 s, not 6.
    "metadata.max.idle.interval.ms": "5000",
    # Each thread of a pool wakes three times a second to see that there is nothing to do. By
    # default there are eight for requests, of the controller too, four for groups, and three for
    # its listener.
    "num.io.threads": "2",
    "group.coordinator.threads": "1",
    "listener.name.controller.num.network.threads": "1",
    # By default the cleaner takes a quarter of our heap, and each segment 20 MB of index.
    "log.cleaner.dedupe.buffer.size": "8388608",
    "log.index.size.max.bytes": "1048576",
    "log.segment.bytes": "134217728",
}
