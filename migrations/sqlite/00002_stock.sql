-- +goose Up
-- The row that owns an item's units. The CHECKs are promise P1: SQL refuses what would oversell.
CREATE TABLE stock (
    item          BIGINT       NOT NULL PRIMARY KEY,
    allotted      BIGINT       NOT NULL CHECK (allotted >= 0),
    pool          BIGINT       NOT NULL CHECK (pool >= 0),
    lent          BIGINT       NOT NULL CHECK (lent >= 0),
    doubt         BIGINT       NOT NULL CHECK (doubt >= 0),
    claimed       BIGINT       NOT NULL CHECK (claimed >= 0),
    epoch         BIGINT       NOT NULL,
    state         VARCHAR(16)  NOT NULL CHECK (state IN ('new','sealing','loading','open','closed')),
    final         BIGINT       NOT NULL,
    halted        VARCHAR(200) NOT NULL,
    attempt       BIGINT       NOT NULL,
    issue         BIGINT       NOT NULL,
    high          BIGINT       NOT NULL,
    accounted     BIGINT       NOT NULL,
    ceiling       BIGINT       NOT NULL,
    owed_decrease BIGINT       NOT NULL CHECK (owed_decrease >= 0),
    gate_ms       BIGINT       NOT NULL,
    since         BIGINT       NOT NULL,
    progress      BIGINT       NOT NULL,
    claimed_at    BIGINT       NOT NULL,
    sealed_at     BIGINT       NOT NULL,
    version       BIGINT       NOT NULL,
    CHECK (allotted = pool + lent + doubt + claimed)
);
CREATE INDEX stock_state ON stock (state);

CREATE TABLE stock_moves (
    id    VARCHAR(64) NOT NULL PRIMARY KEY,
    item  BIGINT      NOT NULL,
    kind  VARCHAR(16) NOT NULL,
    epoch BIGINT      NOT NULL,
    issue BIGINT      NOT NULL,
    units BIGINT      NOT NULL,
    at    BIGINT      NOT NULL
);
CREATE INDEX stock_moves_item ON stock_moves (item, epoch, issue);

CREATE TABLE claims (
    id         BIGINT      NOT NULL PRIMARY KEY,
    item       BIGINT      NOT NULL,
    user_id    VARCHAR(64) NOT NULL,
    quantity   BIGINT      NOT NULL CHECK (quantity > 0),
    key_hash   VARCHAR(22) NOT NULL,
    epoch      BIGINT      NOT NULL,
    state      VARCHAR(16) NOT NULL CHECK (state IN ('held','returned','rejected')),
    reason     VARCHAR(32) NOT NULL,
    first_id   BIGINT      NOT NULL,
    ordered    BIGINT      NOT NULL,
    created_at BIGINT      NOT NULL
);
CREATE UNIQUE INDEX claims_key ON claims (item, user_id, key_hash);
CREATE INDEX claims_unordered ON claims (ordered, state, created_at);

-- Marks and heartbeats of api processes; item 0 is the heartbeat. begun and gone mean something on item 0 only.
CREATE TABLE marks (
    incarnation BIGINT NOT NULL,
    item        BIGINT NOT NULL,
    epoch       BIGINT NOT NULL,
    sold        BIGINT NOT NULL,
    begun       BIGINT NOT NULL,
    gone        BIGINT NOT NULL,
    PRIMARY KEY (incarnation, item)
);
CREATE INDEX marks_item ON marks (item, epoch);

-- Steps owed to somebody else, written by the transaction that owes them.
CREATE TABLE outbox (
    id       BIGINT      NOT NULL PRIMARY KEY,
    kind     VARCHAR(16) NOT NULL,
    item     BIGINT      NOT NULL,
    epoch    BIGINT      NOT NULL,
    user_id  VARCHAR(64) NOT NULL,
    claim    BIGINT      NOT NULL,
    quantity BIGINT      NOT NULL,
    key_hash VARCHAR(22) NOT NULL,
    at       BIGINT      NOT NULL
);
CREATE INDEX outbox_kind ON outbox (kind, id);

-- +goose Down
DROP TABLE outbox;
DROP TABLE marks;
DROP TABLE claims;
DROP TABLE stock_moves;
DROP TABLE stock;
