-- +goose NO TRANSACTION
-- +goose Up
-- Sixteen tables per shard keep each one's indexes small; the bucket in the id picks the table.
CREATE TABLE IF NOT EXISTS orders_00 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL,
    price_minor BIGINT      NOT NULL,
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL,
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL,
    KEY orders_00_user (user_id, id),
    KEY orders_00_item (item, state),
    KEY orders_00_due (state, pay_by),
    CHECK (quantity > 0),
    CHECK (price_minor >= 0),
    CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled'))
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS orders_01 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL,
    price_minor BIGINT      NOT NULL,
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL,
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL,
    KEY orders_01_user (user_id, id),
    KEY orders_01_item (item, state),
    KEY orders_01_due (state, pay_by),
    CHECK (quantity > 0),
    CHECK (price_minor >= 0),
    CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled'))
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS orders_02 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL,
    price_minor BIGINT      NOT NULL,
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL,
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL,
    KEY orders_02_user (user_id, id),
    KEY orders_02_item (item, state),
    KEY orders_02_due (state, pay_by),
    CHECK (quantity > 0),
    CHECK (price_minor >= 0),
    CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled'))
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS orders_03 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL,
    price_minor BIGINT      NOT NULL,
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL,
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL,
    KEY orders_03_user (user_id, id),
    KEY orders_03_item (item, state),
    KEY orders_03_due (state, pay_by),
    CHECK (quantity > 0),
    CHECK (price_minor >= 0),
    CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled'))
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS orders_04 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL,
    price_minor BIGINT      NOT NULL,
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL,
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL,
    KEY orders_04_user (user_id, id),
    KEY orders_04_item (item, state),
    KEY orders_04_due (state, pay_by),
    CHECK (quantity > 0),
    CHECK (price_minor >= 0),
    CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled'))
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS orders_05 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL,
    price_minor BIGINT      NOT NULL,
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL,
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL,
    KEY orders_05_user (user_id, id),
    KEY orders_05_item (item, state),
    KEY orders_05_due (state, pay_by),
    CHECK (quantity > 0),
    CHECK (price_minor >= 0),
    CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled'))
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS orders_06 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL,
    price_minor BIGINT      NOT NULL,
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL,
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL,
    KEY orders_06_user (user_id, id),
    KEY orders_06_item (item, state),
    KEY orders_06_due (state, pay_by),
    CHECK (quantity > 0),
    CHECK (price_minor >= 0),
    CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled'))
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS orders_07 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL,
    price_minor BIGINT      NOT NULL,
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL,
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL,
    KEY orders_07_user (user_id, id),
    KEY orders_07_item (item, state),
    KEY orders_07_due (state, pay_by),
    CHECK (quantity > 0),
    CHECK (price_minor >= 0),
    CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled'))
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS orders_08 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL,
    price_minor BIGINT      NOT NULL,
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL,
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL,
    KEY orders_08_user (user_id, id),
    KEY orders_08_item (item, state),
    KEY orders_08_due (state, pay_by),
    CHECK (quantity > 0),
    CHECK (price_minor >= 0),
    CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled'))
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS orders_09 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL,
    price_minor BIGINT      NOT NULL,
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL,
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL,
    KEY orders_09_user (user_id, id),
    KEY orders_09_item (item, state),
    KEY orders_09_due (state, pay_by),
    CHECK (quantity > 0),
    CHECK (price_minor >= 0),
    CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled'))
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS orders_10 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL,
    price_minor BIGINT      NOT NULL,
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL,
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL,
    KEY orders_10_user (user_id, id),
    KEY orders_10_item (item, state),
    KEY orders_10_due (state, pay_by),
    CHECK (quantity > 0),
    CHECK (price_minor >= 0),
    CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled'))
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS orders_11 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL,
    price_minor BIGINT      NOT NULL,
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL,
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL,
    KEY orders_11_user (user_id, id),
    KEY orders_11_item (item, state),
    KEY orders_11_due (state, pay_by),
    CHECK (quantity > 0),
    CHECK (price_minor >= 0),
    CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled'))
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS orders_12 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL,
    price_minor BIGINT      NOT NULL,
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL,
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL,
    KEY orders_12_user (user_id, id),
    KEY orders_12_item (item, state),
    KEY orders_12_due (state, pay_by),
    CHECK (quantity > 0),
    CHECK (price_minor >= 0),
    CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled'))
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS orders_13 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL,
    price_minor BIGINT      NOT NULL,
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL,
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL,
    KEY orders_13_user (user_id, id),
    KEY orders_13_item (item, state),
    KEY orders_13_due (state, pay_by),
    CHECK (quantity > 0),
    CHECK (price_minor >= 0),
    CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled'))
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS orders_14 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL,
    price_minor BIGINT      NOT NULL,
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL,
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL,
    KEY orders_14_user (user_id, id),
    KEY orders_14_item (item, state),
    KEY orders_14_due (state, pay_by),
    CHECK (quantity > 0),
    CHECK (price_minor >= 0),
    CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled'))
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS orders_15 (
    id          BIGINT      NOT NULL PRIMARY KEY,
    item        BIGINT      NOT NULL,
    user_id     VARCHAR(64) NOT NULL,
    quantity    BIGINT      NOT NULL,
    price_minor BIGINT      NOT NULL,
    currency    CHAR(3)     NOT NULL,
    state       VARCHAR(16) NOT NULL,
    pay_by      BIGINT      NOT NULL,
    created_at  BIGINT      NOT NULL,
    paid_at     BIGINT      NOT NULL,
    version     BIGINT      NOT NULL,
    KEY orders_15_user (user_id, id),
    KEY orders_15_item (item, state),
    KEY orders_15_due (state, pay_by),
    CHECK (quantity > 0),
    CHECK (price_minor >= 0),
    CHECK (state IN ('unpaid','paid','refunding','refunded','cancelled'))
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Append-only; version 1 is the placing. cause is the actor: settle, user, timeout, operator.
CREATE TABLE IF NOT EXISTS order_events (
    order_id BIGINT      NOT NULL,
    version  BIGINT      NOT NULL,
    state    VARCHAR(16) NOT NULL,
    cause    VARCHAR(64) NOT NULL,
    at       BIGINT      NOT NULL,
    PRIMARY KEY (order_id, version)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS order_events;
DROP TABLE IF EXISTS orders_00;
DROP TABLE IF EXISTS orders_01;
DROP TABLE IF EXISTS orders_02;
DROP TABLE IF EXISTS orders_03;
DROP TABLE IF EXISTS orders_04;
DROP TABLE IF EXISTS orders_05;
DROP TABLE IF EXISTS orders_06;
DROP TABLE IF EXISTS orders_07;
DROP TABLE IF EXISTS orders_08;
DROP TABLE IF EXISTS orders_09;
DROP TABLE IF EXISTS orders_10;
DROP TABLE IF EXISTS orders_11;
DROP TABLE IF EXISTS orders_12;
DROP TABLE IF EXISTS orders_13;
DROP TABLE IF EXISTS orders_14;
DROP TABLE IF EXISTS orders_15;
