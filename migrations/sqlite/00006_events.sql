-- +goose Up
-- What the shop is told. spread is 0 until the dispatches are written, and grows with every change of them.
CREATE TABLE events (
    id      BIGINT      NOT NULL PRIMARY KEY,
    type    VARCHAR(32) NOT NULL,
    subject BIGINT      NOT NULL,
    version BIGINT      NOT NULL,
    data    MEDIUMTEXT  NOT NULL,
    at      BIGINT      NOT NULL,
    spread  BIGINT      NOT NULL,
    CHECK (spread >= 0)
);
CREATE INDEX events_new ON events (spread, id);
CREATE INDEX events_subject ON events (subject, version);

-- An event on its way to one endpoint. Told ones are deleted.
CREATE TABLE dispatches (
    endpoint VARCHAR(64)  NOT NULL,
    event    BIGINT       NOT NULL,
    subject  BIGINT       NOT NULL,
    version  BIGINT       NOT NULL,
    tries    BIGINT       NOT NULL,
    failure  VARCHAR(200) NOT NULL,
    since    BIGINT       NOT NULL,
    next_at  BIGINT       NOT NULL,
    dead     BIGINT       NOT NULL,
    PRIMARY KEY (endpoint, event)
);
CREATE INDEX dispatches_due ON dispatches (endpoint, dead, next_at, event);
CREATE INDEX dispatches_subject ON dispatches (endpoint, subject, version);
CREATE INDEX dispatches_event ON dispatches (event);

-- +goose Down
DROP TABLE dispatches;
DROP TABLE events;
