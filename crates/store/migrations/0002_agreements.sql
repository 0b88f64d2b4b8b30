-- What was agreed with an account beside the terms that bind everybody, as the caller's JSON.
CREATE TABLE agreements (
    account TEXT PRIMARY KEY REFERENCES accounts (id),
    json    TEXT NOT NULL
);
