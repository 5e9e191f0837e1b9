//! The SQLite store of omni: write-ahead log, durable group commits by one writer.
