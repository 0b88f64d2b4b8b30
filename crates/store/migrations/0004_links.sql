-- What links accounts besides what they ask, as keyed hashes: the plain values are never kept.
-- Accounts of imported logs may be linked too, so an account need not be in the directory.
CREATE TABLE links (
    account   TEXT NOT NULL,
    kind      TEXT NOT NULL,
    token     BIGINT NOT NULL,
    linked_at BIGINT NOT NULL,
    PRIMARY KEY (account, kind, token)
);
