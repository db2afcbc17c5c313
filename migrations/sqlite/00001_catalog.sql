-- +goose Up
-- ended_at is when the sale became ended (0 until then), which an operator may do long before ends_at.
CREATE TABLE sales (
    id          BIGINT       NOT NULL PRIMARY KEY,
    name        VARCHAR(200) NOT NULL,
    state       VARCHAR(16)  NOT NULL CHECK (state IN ('draft','scheduled','live','paused','ended')),
    starts_at   BIGINT       NOT NULL,
    ends_at     BIGINT       NOT NULL CHECK (ends_at > starts_at),
    ended_at    BIGINT       NOT NULL,
    pay_within  BIGINT       NOT NULL CHECK (pay_within > 0),
    version     BIGINT       NOT NULL,
    created_at  BIGINT       NOT NULL
);
CREATE INDEX sales_state ON sales (state, ended_at);

CREATE TABLE items (
    id             BIGINT       NOT NULL PRIMARY KEY,
    sale           BIGINT       NOT NULL,
    position       BIGINT       NOT NULL,
    sku            VARCHAR(64)  NOT NULL,
    title          VARCHAR(200) NOT NULL,
    price_minor    BIGINT       NOT NULL CHECK (price_minor >= 0),
    currency       CHAR(3)      NOT NULL,
    allotment      BIGINT       NOT NULL CHECK (allotment >= 0),
    limit_per_user BIGINT       NOT NULL CHECK (limit_per_user > 0)
);
CREATE INDEX items_sale ON items (sale, position);

CREATE TABLE accounts (
    id         BIGINT       NOT NULL PRIMARY KEY,
    user_id    VARCHAR(64)  NOT NULL,
    hash       VARCHAR(255) NOT NULL,
    created_at BIGINT       NOT NULL
);
CREATE UNIQUE INDEX accounts_user ON accounts (user_id);

CREATE TABLE audit_log (
    id        BIGINT       NOT NULL PRIMARY KEY,
    actor     VARCHAR(100) NOT NULL,
    action    VARCHAR(64)  NOT NULL,
    target    BIGINT       NOT NULL,
    before_json TEXT       NOT NULL,
    after_json  TEXT       NOT NULL,
    at        BIGINT       NOT NULL
);
CREATE INDEX audit_log_target ON audit_log (target, id);

-- Id-generator leases. last_ms is the last millisecond the holder may have used; the next holder starts above it.
CREATE TABLE nodes (
    node        BIGINT      NOT NULL PRIMARY KEY,
    holder      VARCHAR(64) NOT NULL,
    leased_until BIGINT     NOT NULL,
    last_ms     BIGINT      NOT NULL
);

-- The bucket map this database was created with; a start with another one is refused.
CREATE TABLE topology (
    name  VARCHAR(64) NOT NULL PRIMARY KEY,
    value TEXT        NOT NULL
);

-- +goose Down
DROP TABLE topology;
DROP TABLE nodes;
DROP TABLE audit_log;
DROP TABLE accounts;
DROP TABLE items;
DROP TABLE sales;
