-- +goose NO TRANSACTION
-- +goose Up
-- Attempts to pay, in the user's shard as all of this.
CREATE TABLE IF NOT EXISTS payments (
    id           BIGINT        NOT NULL PRIMARY KEY,
    order_id     BIGINT        NOT NULL,
    provider     VARCHAR(32)   NOT NULL,
    session      VARCHAR(255)  NOT NULL,
    url          VARCHAR(2048) NOT NULL,
    amount_minor BIGINT        NOT NULL,
    currency     CHAR(3)       NOT NULL,
    state        VARCHAR(16)   NOT NULL,
    expires_at   BIGINT        NOT NULL,
    created_at   BIGINT        NOT NULL,
    KEY payments_order (order_id, id),
    CHECK (amount_minor >= 0),
    CHECK (state IN ('open','paid','closed'))
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Money that arrived, once for each name that the provider has for it. refund is why it must go back, '' that it paid.
CREATE TABLE IF NOT EXISTS charges (
    provider     VARCHAR(32)  NOT NULL,
    txn          VARCHAR(190) NOT NULL,
    payment      BIGINT       NOT NULL,
    order_id     BIGINT       NOT NULL,
    amount_minor BIGINT       NOT NULL,
    currency     CHAR(3)      NOT NULL,
    refund       VARCHAR(16)  NOT NULL,
    at           BIGINT       NOT NULL,
    PRIMARY KEY (provider, txn),
    KEY charges_order (order_id)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS refunds (
    provider     VARCHAR(32)  NOT NULL,
    txn          VARCHAR(190) NOT NULL,
    order_id     BIGINT       NOT NULL,
    session      VARCHAR(255) NOT NULL,
    amount_minor BIGINT       NOT NULL,
    currency     CHAR(3)      NOT NULL,
    reason       VARCHAR(16)  NOT NULL,
    restock      BIGINT       NOT NULL,
    state        VARCHAR(16)  NOT NULL,
    tries        BIGINT       NOT NULL,
    next_at      BIGINT       NOT NULL,
    failure      VARCHAR(200) NOT NULL,
    at           BIGINT       NOT NULL,
    done_at      BIGINT       NOT NULL,
    PRIMARY KEY (provider, txn),
    KEY refunds_order (order_id),
    KEY refunds_due (state, next_at),
    CHECK (state IN ('owed','done'))
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS refunds;
DROP TABLE IF EXISTS charges;
DROP TABLE IF EXISTS payments;
