-- Who works here and how they prove it; who is signed in. Secrets are kept as digests only.
CREATE TABLE people (
    name       TEXT PRIMARY KEY,
    role       TEXT NOT NULL,
    identity   TEXT NOT NULL,   -- what is proven at sign-in; two names with one identity are one person
    invited_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at   BIGINT
);
CREATE TABLE passkeys (
    id         TEXT PRIMARY KEY, -- the credential's id, base64url
    person     TEXT NOT NULL REFERENCES people (name),
    public_key BLOB NOT NULL,    -- COSE_Key
    counter    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at    BIGINT
);
CREATE INDEX passkeys_person ON passkeys (person);
-- One-time sign-ins, for a person or for a customer's account.
CREATE TABLE invites (
    digest     TEXT PRIMARY KEY,
    person     TEXT,
    account    TEXT,
    expires_at BIGINT NOT NULL
);
CREATE TABLE sign_ins (
    digest     TEXT PRIMARY KEY,
    person     TEXT,
    account    TEXT,
    how        TEXT NOT NULL,    -- invited, passkey, oidc or key
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL
);
CREATE INDEX sign_ins_person ON sign_ins (person);
-- Rules that are watched for some days before anybody lets them act.
CREATE TABLE shadows (
    id         TEXT PRIMARY KEY,
    what       TEXT NOT NULL,
    value      TEXT NOT NULL,
    by_person  TEXT NOT NULL,
    reason     TEXT NOT NULL,
    began_at   BIGINT NOT NULL,
    until      BIGINT NOT NULL,
    ended_at   BIGINT
);
