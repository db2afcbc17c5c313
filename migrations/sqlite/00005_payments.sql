-- +goose Up
-- Attempts to pay, in the user's shard as all of this.
CREATE TABLE payments (
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
    CHECK (amount_minor >= 0),
    CHECK (state IN ('open','paid','closed'))
);
CREATE INDEX payments_order ON payments (order_id, id);

-- Money that arrived, once for each name that the provider has for it. refund is why it must go back, '' that it paid.
CREATE TABLE charges (
    provider     VARCHAR(32)  NOT NULL,
    txn          VARCHAR(190) NOT NULL,
    payment      BIGINT       NOT NULL,
    order_id     BIGINT       NOT NULL,
    amount_minor BIGINT       NOT NULL,
    currency     CHAR(3)      NOT NULL,
    refund       VARCHAR(16)  NOT NULL,
    at           BIGINT       NOT NULL,
    PRIMARY KEY (provider, txn)
);
CREATE INDEX charges_order ON charges (order_id);

CREATE TABLE refunds (
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
    CHECK (state IN ('owed','done'))
);
CREATE INDEX refunds_order ON refunds (order_id);
CREATE INDEX refunds_due ON refunds (state, next_at);

-- +goose Down
DROP TABLE refunds;
DROP TABLE charges;
DROP TABLE payments;
