-- The registry of outputs that follows this store, by the name of its key; one row, or none where
-- there never was a registry. By it an erasure knows that a folder which is not there, or is another
-- one, is not a registry without fingerprints.
CREATE TABLE registry_followed (
    key_name TEXT PRIMARY KEY,
    since    BIGINT NOT NULL
);
