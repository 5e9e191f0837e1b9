//! Tests of the simulator over HTTP, in both directions.
