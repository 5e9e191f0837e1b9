//! The durable runtime of omni: journal, outbox, timers, leases and the store port.
