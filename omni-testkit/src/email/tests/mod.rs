//! The mail server, by raw sockets and by clients of others.
