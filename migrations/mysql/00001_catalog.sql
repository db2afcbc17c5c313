-- +goose NO TRANSACTION
-- +goose Up
-- ended_at is when the sale became ended (0 until then), which an operator may do long before ends_at.
CREATE TABLE IF NOT EXISTS sales (
    id          BIGINT       NOT NULL PRIMARY KEY,
    name        VARCHAR(200) NOT NULL,
    state       VARCHAR(16)  NOT NULL,
    starts_at   BIGINT       NOT NULL,
    ends_at     BIGINT       NOT NULL,
    ended_at    BIGINT       NOT NULL,
    pay_within  BIGINT       NOT NULL,
    version     BIGINT       NOT NULL,
    created_at  BIGINT       NOT NULL,
    KEY sales_state (state, ended_at),
    CHECK (state IN ('draft','scheduled','live','paused','ended')),
    CHECK (ends_at > starts_at),
    CHECK (pay_within > 0)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS items (
    id             BIGINT       NOT NULL PRIMARY KEY,
    sale           BIGINT       NOT NULL,
    position       BIGINT       NOT NULL,
    sku            VARCHAR(64)  NOT NULL,
    title          VARCHAR(200) NOT NULL,
    price_minor    BIGINT       NOT NULL,
    currency       CHAR(3)      NOT NULL,
    allotment      BIGINT       NOT NULL,
    limit_per_user BIGINT       NOT NULL,
    KEY items_sale (sale, position),
    CHECK (price_minor >= 0),
    CHECK (allotment >= 0),
    CHECK (limit_per_user > 0)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS accounts (
    id         BIGINT       NOT NULL PRIMARY KEY,
    user_id    VARCHAR(64)  NOT NULL,
    hash       VARCHAR(255) NOT NULL,
    created_at BIGINT       NOT NULL,
    UNIQUE KEY accounts_user (user_id)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS audit_log (
    id          BIGINT       NOT NULL PRIMARY KEY,
    actor       VARCHAR(100) NOT NULL,
    action      VARCHAR(64)  NOT NULL,
    target      BIGINT       NOT NULL,
    before_json MEDIUMTEXT   NOT NULL,
    after_json  MEDIUMTEXT   NOT NULL,
    at          BIGINT       NOT NULL,
    KEY audit_log_target (target, id)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Id-generator leases. last_ms is the last millisecond the holder may have used; the next holder starts above it.
CREATE TABLE IF NOT EXISTS nodes (
    node         BIGINT      NOT NULL PRIMARY KEY,
    holder       VARCHAR(64) NOT NULL,
    leased_until BIGINT      NOT NULL,
    last_ms      BIGINT      NOT NULL
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The bucket map this database was created with; a start with another one is refused.
CREATE TABLE IF NOT EXISTS topology (
    name  VARCHAR(64) NOT NULL PRIMARY KEY,
    value TEXT        NOT NULL
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS topology;
DROP TABLE IF EXISTS nodes;
DROP TABLE IF EXISTS audit_log;
DROP TABLE IF EXISTS accounts;
DROP TABLE IF EXISTS items;
DROP TABLE IF EXISTS sales;
