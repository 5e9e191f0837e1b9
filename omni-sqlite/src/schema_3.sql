-- What connectors want to be told at the next send to an address, and of when that is. Beside the address and not in
-- it: a note may have kilobytes, and rows of addresses stay small.
CREATE TABLE note (
    channel INTEGER NOT NULL,
    address TEXT NOT NULL,
    note    TEXT NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (channel, address)
);
