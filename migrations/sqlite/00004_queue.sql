-- +goose Up
-- The embedded queue; RabbitMQ holds these rows in the distributed mode. leased_by 0: ready.
CREATE TABLE queue (
    tag          INTEGER PRIMARY KEY AUTOINCREMENT,
    shard        BIGINT  NOT NULL,
    batch        BIGINT  NOT NULL,
    item         BIGINT  NOT NULL,
    epoch        BIGINT  NOT NULL,
    body         BLOB    NOT NULL,
    enqueued_at  BIGINT  NOT NULL,
    leased_by    BIGINT  NOT NULL,
    leased_until BIGINT  NOT NULL,
    tries        BIGINT  NOT NULL
);
CREATE INDEX queue_ready ON queue (shard, leased_by, tag);
CREATE INDEX queue_item ON queue (item, epoch);

CREATE TABLE dead_letters (
    id    BIGINT NOT NULL PRIMARY KEY,
    shard BIGINT NOT NULL,
    body  BLOB   NOT NULL,
    cause TEXT   NOT NULL,
    at    BIGINT NOT NULL
);

-- +goose Down
DROP TABLE dead_letters;
DROP TABLE queue;
