//! Benches behind the numbers in the README of omni.
