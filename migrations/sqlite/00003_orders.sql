-- +goose Up
-- Sixteen tables per shard keep each one's indexes small; the bucket in the id picks the table.
CREATE TABLE orders_00 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL CHECK (quantity > 0),
    price_minor BIGINT      NOT NULL CHECK (price_minor >= 0),
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled')),
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL
);
CREATE INDEX orders_00_user ON orders_00 (user_id, id);
CREATE INDEX orders_00_item ON orders_00 (item, state);
CREATE INDEX orders_00_due ON orders_00 (state, pay_by);

CREATE TABLE orders_01 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL CHECK (quantity > 0),
    price_minor BIGINT      NOT NULL CHECK (price_minor >= 0),
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled')),
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL
);
CREATE INDEX orders_01_user ON orders_01 (user_id, id);
CREATE INDEX orders_01_item ON orders_01 (item, state);
CREATE INDEX orders_01_due ON orders_01 (state, pay_by);

CREATE TABLE orders_02 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL CHECK (quantity > 0),
    price_minor BIGINT      NOT NULL CHECK (price_minor >= 0),
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled')),
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL
);
CREATE INDEX orders_02_user ON orders_02 (user_id, id);
CREATE INDEX orders_02_item ON orders_02 (item, state);
CREATE INDEX orders_02_due ON orders_02 (state, pay_by);

CREATE TABLE orders_03 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL CHECK (quantity > 0),
    price_minor BIGINT      NOT NULL CHECK (price_minor >= 0),
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled')),
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL
);
CREATE INDEX orders_03_user ON orders_03 (user_id, id);
CREATE INDEX orders_03_item ON orders_03 (item, state);
CREATE INDEX orders_03_due ON orders_03 (state, pay_by);

CREATE TABLE orders_04 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL CHECK (quantity > 0),
    price_minor BIGINT      NOT NULL CHECK (price_minor >= 0),
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled')),
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL
);
CREATE INDEX orders_04_user ON orders_04 (user_id, id);
CREATE INDEX orders_04_item ON orders_04 (item, state);
CREATE INDEX orders_04_due ON orders_04 (state, pay_by);

CREATE TABLE orders_05 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL CHECK (quantity > 0),
    price_minor BIGINT      NOT NULL CHECK (price_minor >= 0),
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled')),
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL
);
CREATE INDEX orders_05_user ON orders_05 (user_id, id);
CREATE INDEX orders_05_item ON orders_05 (item, state);
CREATE INDEX orders_05_due ON orders_05 (state, pay_by);

CREATE TABLE orders_06 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL CHECK (quantity > 0),
    price_minor BIGINT      NOT NULL CHECK (price_minor >= 0),
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled')),
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL
);
CREATE INDEX orders_06_user ON orders_06 (user_id, id);
CREATE INDEX orders_06_item ON orders_06 (item, state);
CREATE INDEX orders_06_due ON orders_06 (state, pay_by);

CREATE TABLE orders_07 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL CHECK (quantity > 0),
    price_minor BIGINT      NOT NULL CHECK (price_minor >= 0),
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled')),
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL
);
CREATE INDEX orders_07_user ON orders_07 (user_id, id);
CREATE INDEX orders_07_item ON orders_07 (item, state);
CREATE INDEX orders_07_due ON orders_07 (state, pay_by);

CREATE TABLE orders_08 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL CHECK (quantity > 0),
    price_minor BIGINT      NOT NULL CHECK (price_minor >= 0),
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled')),
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL
);
CREATE INDEX orders_08_user ON orders_08 (user_id, id);
CREATE INDEX orders_08_item ON orders_08 (item, state);
CREATE INDEX orders_08_due ON orders_08 (state, pay_by);

CREATE TABLE orders_09 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL CHECK (quantity > 0),
    price_minor BIGINT      NOT NULL CHECK (price_minor >= 0),
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled')),
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL
);
CREATE INDEX orders_09_user ON orders_09 (user_id, id);
CREATE INDEX orders_09_item ON orders_09 (item, state);
CREATE INDEX orders_09_due ON orders_09 (state, pay_by);

CREATE TABLE orders_10 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL CHECK (quantity > 0),
    price_minor BIGINT      NOT NULL CHECK (price_minor >= 0),
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled')),
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL
);
CREATE INDEX orders_10_user ON orders_10 (user_id, id);
CREATE INDEX orders_10_item ON orders_10 (item, state);
CREATE INDEX orders_10_due ON orders_10 (state, pay_by);

CREATE TABLE orders_11 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL CHECK (quantity > 0),
    price_minor BIGINT      NOT NULL CHECK (price_minor >= 0),
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled')),
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL
);
CREATE INDEX orders_11_user ON orders_11 (user_id, id);
CREATE INDEX orders_11_item ON orders_11 (item, state);
CREATE INDEX orders_11_due ON orders_11 (state, pay_by);

CREATE TABLE orders_12 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL CHECK (quantity > 0),
    price_minor BIGINT      NOT NULL CHECK (price_minor >= 0),
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled')),
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL
);
CREATE INDEX orders_12_user ON orders_12 (user_id, id);
CREATE INDEX orders_12_item ON orders_12 (item, state);
CREATE INDEX orders_12_due ON orders_12 (state, pay_by);

CREATE TABLE orders_13 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL CHECK (quantity > 0),
    price_minor BIGINT      NOT NULL CHECK (price_minor >= 0),
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled')),
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL
);
CREATE INDEX orders_13_user ON orders_13 (user_id, id);
CREATE INDEX orders_13_item ON orders_13 (item, state);
CREATE INDEX orders_13_due ON orders_13 (state, pay_by);

CREATE TABLE orders_14 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL CHECK (quantity > 0),
    price_minor BIGINT      NOT NULL CHECK (price_minor >= 0),
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled')),
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL
);
CREATE INDEX orders_14_user ON orders_14 (user_id, id);
CREATE INDEX orders_14_item ON orders_14 (item, state);
CREATE INDEX orders_14_due ON orders_14 (state, pay_by);

CREATE TABLE orders_15 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL CHECK (quantity > 0),
    price_minor BIGINT      NOT NULL CHECK (price_minor >= 0),
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled')),
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL
);
CREATE INDEX orders_15_user ON orders_15 (user_id, id);
CREATE INDEX orders_15_item ON orders_15 (item, state);
CREATE INDEX orders_15_due ON orders_15 (state, pay_by);

-- Append-only; version 1 is the placing. cause is the actor: settle, user, timeout, operator.
CREATE TABLE order_events (
    order_id BIGINT      NOT NULL,
    version  BIGINT      NOT NULL,
    state    VARCHAR(16) NOT NULL,
    cause    VARCHAR(64) NOT NULL,
    at       BIGINT      NOT NULL,
    PRIMARY KEY (order_id, version)
);

-- +goose Down
DROP TABLE order_events;
DROP TABLE orders_00;
DROP TABLE orders_01;
DROP TABLE orders_02;
DROP TABLE orders_03;
DROP TABLE orders_04;
DROP TABLE orders_05;
DROP TABLE orders_06;
DROP TABLE orders_07;
DROP TABLE orders_08;
DROP TABLE orders_09;
DROP TABLE orders_10;
DROP TABLE orders_11;
DROP TABLE orders_12;
DROP TABLE orders_13;
DROP TABLE orders_14;
DROP TABLE orders_15;
