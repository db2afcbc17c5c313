-- +goose NO TRANSACTION
-- +goose Up
-- What the shop is told. spread is 0 until the dispatches are written, and grows with every change of them.
CREATE TABLE IF NOT EXISTS events (
    id      BIGINT      NOT NULL PRIMARY KEY,
    type    VARCHAR(32) NOT NULL,
    subject BIGINT      NOT NULL,
    version BIGINT      NOT NULL,
    data    MEDIUMTEXT  NOT NULL,
    at      BIGINT      NOT NULL,
    spread  BIGINT      NOT NULL,
    KEY events_new (spread, id),
    KEY events_subject (subject, version),
    CHECK (spread >= 0)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- An event on its way to one endpoint. Told ones are deleted.
CREATE TABLE IF NOT EXISTS dispatches (
    endpoint VARCHAR(64)  NOT NULL,
    event    BIGINT       NOT NULL,
    subject  BIGINT       NOT NULL,
    version  BIGINT       NOT NULL,
    tries    BIGINT       NOT NULL,
    failure  VARCHAR(200) NOT NULL,
    since    BIGINT       NOT NULL,
    next_at  BIGINT       NOT NULL,
    dead     BIGINT       NOT NULL,
    PRIMARY KEY (endpoint, event),
    KEY dispatches_due (endpoint, dead, next_at, event),
    KEY dispatches_subject (endpoint, subject, version),
    KEY dispatches_event (event)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS dispatches;
DROP TABLE IF EXISTS events;
