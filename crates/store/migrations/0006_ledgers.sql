-- One ledger per account and one, named '', of the records without an account; the checkpoint bodies of all of
-- them are the entries of the root log. A rotation starts a new epoch with new origins, into which the whole journal
-- is sealed anew; old ones stay readable.
CREATE TABLE epochs (
    epoch     BIGINT PRIMARY KEY,
    origin    TEXT NOT NULL,
    began_at  BIGINT NOT NULL,
    reason    TEXT NOT NULL,
    sealed    BIGINT NOT NULL, -- the first journal record that its ledgers do not hold yet
    size      BIGINT NOT NULL, -- of the root log
    root      BLOB NOT NULL,
    edge      BLOB NOT NULL    -- roots of its complete subtrees, the largest first
);
-- Where each ledger stands.
CREATE TABLE ledgers (
    epoch    BIGINT NOT NULL,
    ledger   TEXT NOT NULL,
    origin   TEXT NOT NULL,
    size     BIGINT NOT NULL,
    root     BLOB NOT NULL,
    edge     BLOB NOT NULL,
    tail_seq BIGINT NOT NULL, -- no record of its last, partial tile comes before
    PRIMARY KEY (epoch, ledger)
);
-- C2SP tlog-tiles. Level 0 holds full tiles only (what follows is in the journal, or in root_entries); the last tile
-- of each level above may be partial. The root log's ledger is ' ', which is no account id.
CREATE TABLE tiles (
    epoch     BIGINT NOT NULL,
    ledger    TEXT NOT NULL,
    level     BIGINT NOT NULL,
    n         BIGINT NOT NULL,
    first_seq BIGINT NOT NULL, -- no record under it comes before
    hashes    BLOB NOT NULL,
    PRIMARY KEY (epoch, ledger, level, n)
);
CREATE INDEX tiles_first_seq ON tiles (epoch, ledger, first_seq) WHERE level = 0;
CREATE TABLE root_entries (
    epoch  BIGINT NOT NULL,
    n      BIGINT NOT NULL,
    ledger TEXT, -- none: the last checkpoint of the epoch before
    size   BIGINT NOT NULL,
    sealed BIGINT NOT NULL, -- the records before it were sealed
    body   BLOB NOT NULL,
    PRIMARY KEY (epoch, n)
);
CREATE INDEX root_entries_ledger ON root_entries (epoch, ledger, n);
-- Signed, with the cosignatures that witnesses gave.
CREATE TABLE root_checkpoints (
    epoch        BIGINT NOT NULL,
    size         BIGINT NOT NULL,
    root         BLOB NOT NULL,
    at           BIGINT NOT NULL,
    note         TEXT NOT NULL,
    cosignatures TEXT NOT NULL,
    PRIMARY KEY (epoch, size)
);
CREATE INDEX root_checkpoints_plain ON root_checkpoints (epoch, at) WHERE cosignatures = '';
-- Records without an account, which journal_account leaves out.
CREATE INDEX journal_house ON journal (seq) WHERE account IS NULL;
