-- Ids made by omni are 16-byte blobs that sort by their making; times are milliseconds since 1970.
-- Tables with a body keep their rowid: without one, rows of a kilobyte would spill into pages of their own.

CREATE TABLE channel (
    id      INTEGER PRIMARY KEY,
    tenant  TEXT NOT NULL,
    channel TEXT NOT NULL,
    cursor  TEXT,
    UNIQUE (tenant, channel)
);

-- Law 3: an event is applied once.
CREATE TABLE claim (
    channel INTEGER NOT NULL,
    event   TEXT NOT NULL,
    kind    TEXT NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (channel, event, kind)
) WITHOUT ROWID;

CREATE TABLE peer (
    channel      INTEGER NOT NULL,
    address      TEXT NOT NULL,
    contact      BLOB,
    conversation BLOB,
    reach        INTEGER NOT NULL,
    PRIMARY KEY (channel, address)
) WITHOUT ROWID;
CREATE INDEX peer_contact ON peer (contact) WHERE contact IS NOT NULL;

-- The person stands in the column alone and not in the body, so that two persons become one without reading bodies.
-- Who has it and for whom it waits stand here while it is open; the indexes hold only rows of which it is so.
CREATE TABLE conversation (
    id              BLOB PRIMARY KEY,
    channel         INTEGER NOT NULL,
    tenant          TEXT NOT NULL,
    address         TEXT NOT NULL,
    open            INTEGER NOT NULL,
    last_message_at INTEGER NOT NULL,
    contact         BLOB,
    agent           TEXT,
    team            TEXT,
    queued_since    INTEGER,
    body            TEXT NOT NULL
);
CREATE INDEX conversation_recent ON conversation (tenant, last_message_at);
CREATE INDEX conversation_contact ON conversation (contact) WHERE contact IS NOT NULL;
CREATE INDEX conversation_load ON conversation (tenant, agent, channel) WHERE agent IS NOT NULL;
CREATE INDEX conversation_queue ON conversation (tenant, team, queued_since, id) WHERE team IS NOT NULL;

-- Agents ever heard of; their loads follow from the conversations.
CREATE TABLE agent (
    tenant      TEXT NOT NULL,
    agent       TEXT NOT NULL,
    presence    INTEGER NOT NULL,
    since       INTEGER NOT NULL,
    assigned_at INTEGER,
    freed_at    INTEGER,
    PRIMARY KEY (tenant, agent)
) WITHOUT ROWID;

CREATE TABLE message (
    id           BLOB PRIMARY KEY,
    conversation BLOB NOT NULL,
    channel      INTEGER NOT NULL,
    direction    INTEGER NOT NULL,
    status       INTEGER,
    provider_ids TEXT,
    error        TEXT,
    album        TEXT,
    body         TEXT NOT NULL
);
CREATE INDEX message_thread ON message (conversation, id);
CREATE INDEX message_album ON message (conversation, album) WHERE album IS NOT NULL;

-- How providers name messages; an album has several names.
CREATE TABLE message_name (
    channel INTEGER NOT NULL,
    name    TEXT NOT NULL,
    message BLOB NOT NULL,
    PRIMARY KEY (channel, name, message)
) WITHOUT ROWID;

CREATE TABLE outbox (
    message      BLOB PRIMARY KEY,
    channel      INTEGER NOT NULL,
    address      TEXT NOT NULL,
    conversation BLOB NOT NULL,
    chat         INTEGER NOT NULL,
    author       INTEGER NOT NULL,
    guard        TEXT,
    queued_at    INTEGER NOT NULL,
    due          INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    state        INTEGER NOT NULL,
    owner        TEXT
) WITHOUT ROWID;
CREATE INDEX outbox_lane ON outbox (channel, address);

-- In the order they fall due, so that those of a moment lie side by side. The usual kind is NULL.
CREATE TABLE timer (
    due          INTEGER NOT NULL,
    token        BLOB NOT NULL,
    conversation BLOB NOT NULL,
    channel      INTEGER NOT NULL,
    kind         TEXT,
    PRIMARY KEY (due, token)
) WITHOUT ROWID;
CREATE UNIQUE INDEX timer_token ON timer (token);

CREATE TABLE contact (
    id   BLOB PRIMARY KEY,
    body TEXT NOT NULL
);

-- Whom a provider's id stands for, by tenant: two tenants never share a contact.
CREATE TABLE identity (
    tenant   TEXT NOT NULL,
    provider TEXT NOT NULL,
    scope    TEXT NOT NULL,
    id       TEXT NOT NULL,
    contact  BLOB NOT NULL,
    PRIMARY KEY (tenant, provider, scope, id)
) WITHOUT ROWID;

CREATE TABLE lease (
    name   TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE journal (
    seq  INTEGER PRIMARY KEY,
    at   INTEGER NOT NULL,
    body TEXT NOT NULL
);

CREATE TABLE consumer (
    id  TEXT PRIMARY KEY,
    seq INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE blob (
    id    TEXT PRIMARY KEY,
    bytes BLOB NOT NULL
);
