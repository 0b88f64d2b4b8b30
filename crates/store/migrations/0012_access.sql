-- Who people are at an issuer (OpenID Connect), and whom it is awaited to say.
CREATE TABLE issuer_subjects (
    subject   TEXT PRIMARY KEY,  -- ISSUER#SUB: the same one for ever, whatever else changes there
    person    TEXT NOT NULL REFERENCES people (name),
    shown     TEXT NOT NULL,     -- what people recognise it by; nothing is decided by it
    linked_at BIGINT NOT NULL,
    used_at   BIGINT
);
CREATE INDEX issuer_subjects_person ON issuer_subjects (person);
-- An invitation to sign in at the issuer: used by the first subject that fits.
CREATE TABLE issuer_awaited (
    hint       TEXT PRIMARY KEY, -- a subject, or a verified address in lower case
    person     TEXT NOT NULL REFERENCES people (name),
    expires_at BIGINT NOT NULL
);
-- Bundles of evidence that somebody was told of: one for each state of a case.
CREATE TABLE sealed_evidence (
    case_id TEXT NOT NULL,
    steps   BIGINT NOT NULL,
    sha256  TEXT NOT NULL,       -- of the first bundle that was written of it
    at      BIGINT NOT NULL,
    PRIMARY KEY (case_id, steps)
);
