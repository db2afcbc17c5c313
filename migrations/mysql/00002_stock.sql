-- +goose NO TRANSACTION
-- +goose Up
-- The row that owns an item's units. The CHECKs are promise P1: SQL refuses what would oversell.
CREATE TABLE IF NOT EXISTS stock (
    item          BIGINT       NOT NULL PRIMARY KEY,
    allotted      BIGINT       NOT NULL,
    pool          BIGINT       NOT NULL,
    lent          BIGINT       NOT NULL,
    doubt         BIGINT       NOT NULL,
    claimed       BIGINT       NOT NULL,
    epoch         BIGINT       NOT NULL,
    state         VARCHAR(16)  NOT NULL,
    final         BIGINT       NOT NULL,
    halted        VARCHAR(200) NOT NULL,
    attempt       BIGINT       NOT NULL,
    issue         BIGINT       NOT NULL,
    high          BIGINT       NOT NULL,
    accounted     BIGINT       NOT NULL,
    ceiling       BIGINT       NOT NULL,
    owed_decrease BIGINT       NOT NULL,
    gate_ms       BIGINT       NOT NULL,
    since         BIGINT       NOT NULL,
    progress      BIGINT       NOT NULL,
    claimed_at    BIGINT       NOT NULL,
    sealed_at     BIGINT       NOT NULL,
    version       BIGINT       NOT NULL,
    KEY stock_state (state),
    CHECK (allotted >= 0),
    CHECK (pool >= 0),
    CHECK (lent >= 0),
    CHECK (doubt >= 0),
    CHECK (claimed >= 0),
    CHECK (state IN ('new','sealing','loading','open','closed')),
    CHECK (owed_decrease >= 0),
    CHECK (allotted = pool + lent + doubt + claimed)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS stock_moves (
    id    VARCHAR(64) NOT NULL PRIMARY KEY,
    item  BIGINT      NOT NULL,
    kind  VARCHAR(16) NOT NULL,
    epoch BIGINT      NOT NULL,
    issue BIGINT      NOT NULL,
    units BIGINT      NOT NULL,
    at    BIGINT      NOT NULL,
    KEY stock_moves_item (item, epoch, issue)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS claims (
    id         BIGINT      NOT NULL PRIMARY KEY,
    item       BIGINT      NOT NULL,
    user_id    VARCHAR(64) NOT NULL,
    quantity   BIGINT      NOT NULL,
    key_hash   VARCHAR(22) NOT NULL,
    epoch      BIGINT      NOT NULL,
    state      VARCHAR(16) NOT NULL,
    reason     VARCHAR(32) NOT NULL,
    first_id   BIGINT      NOT NULL,
    ordered    BIGINT      NOT NULL,
    created_at BIGINT      NOT NULL,
    UNIQUE KEY claims_key (item, user_id, key_hash),
    KEY claims_unordered (ordered, state, created_at),
    CHECK (quantity > 0),
    CHECK (state IN ('held','returned','rejected'))
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Marks and heartbeats of api processes; item 0 is the heartbeat. begun and gone mean something on item 0 only.
CREATE TABLE IF NOT EXISTS marks (
    incarnation BIGINT NOT NULL,
    item        BIGINT NOT NULL,
    epoch       BIGINT NOT NULL,
    sold        BIGINT NOT NULL,
    begun       BIGINT NOT NULL,
    gone        BIGINT NOT NULL,
    PRIMARY KEY (incarnation, item),
    KEY marks_item (item, epoch)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Steps owed to somebody else, written by the transaction that owes them.
CREATE TABLE IF NOT EXISTS outbox (
    id       BIGINT      NOT NULL PRIMARY KEY,
    kind     VARCHAR(16) NOT NULL,
    item     BIGINT      NOT NULL,
    epoch    BIGINT      NOT NULL,
    user_id  VARCHAR(64) NOT NULL,
    claim    BIGINT      NOT NULL,
    quantity BIGINT      NOT NULL,
    key_hash VARCHAR(22) NOT NULL,
    at       BIGINT      NOT NULL,
    KEY outbox_kind (kind, id)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS outbox;
DROP TABLE IF EXISTS marks;
DROP TABLE IF EXISTS claims;
DROP TABLE IF EXISTS stock_moves;
DROP TABLE IF EXISTS stock;
