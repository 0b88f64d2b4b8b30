-- Known campaigns that were activated, each time they were; the file is the signed envelope.
CREATE TABLE campaigns (
    name         TEXT NOT NULL,
    activated_at BIGINT NOT NULL,
    activated_by TEXT NOT NULL,
    expires_at   BIGINT NOT NULL,
    expired_at   BIGINT,
    expired_by   TEXT,
    file         BLOB NOT NULL,
    PRIMARY KEY (name, activated_at)
);
