-- The key under which an answer was sealed that was let go of when its time was over: by it the
-- erasure of its subject still finds the fingerprints of that answer.
CREATE TABLE answers_let_go (
    seq    BIGINT PRIMARY KEY,
    key_id BIGINT NOT NULL
);
CREATE INDEX answers_let_go_key ON answers_let_go (key_id);

-- Outputs whose fingerprints have to leave the registry; an empty exchange stands for all of the
-- account's until then. Empty again once the registry's files are written.
CREATE TABLE outputs_to_forget (
    account  TEXT NOT NULL,
    exchange TEXT NOT NULL,
    until    BIGINT NOT NULL,
    PRIMARY KEY (account, exchange)
);
