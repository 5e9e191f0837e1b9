-- Tokens that are renewed, in the form of omni_core::tokens::Tokens, and who is renewing them. They are secrets: whoever
-- can read the file can use the accounts.
CREATE TABLE token (
    key           TEXT PRIMARY KEY,
    tokens        TEXT,
    claimed_by    TEXT,
    claimed_until INTEGER
);
