-- +goose Up
-- Nothing is written here any more: the queue has a file of its own (../queue), which takes over what it finds here.
-- The embedded queue; RabbitMQ holds these rows in the distributed mode. Who has leased a row is not written down: leases
-- end with the one process that may open the file. redeliveries is counted before each delivery that follows an expired
-- lease or a restart. AUTOINCREMENT: a tag is never used again, so a late acknowledgement cannot remove another message.
-- The body comes last, so that the other columns are read without it.
CREATE TABLE queue (
    tag          INTEGER PRIMARY KEY AUTOINCREMENT,
    shard        BIGINT  NOT NULL,
    batch        BIGINT  NOT NULL,
    item         BIGINT  NOT NULL,
    epoch        BIGINT  NOT NULL,
    enqueued_at  BIGINT  NOT NULL,
    redeliveries BIGINT  NOT NULL,
    body         BLOB    NOT NULL
);
CREATE INDEX queue_shard ON queue (shard, tag);
CREATE INDEX queue_item ON queue (item, epoch);

CREATE TABLE dead_letters (
    id    BIGINT NOT NULL PRIMARY KEY,
    shard BIGINT NOT NULL,
    cause TEXT   NOT NULL,
    at    BIGINT NOT NULL,
    body  BLOB   NOT NULL
);
CREATE INDEX dead_letters_shard ON dead_letters (shard);

-- +goose Down
DROP TABLE dead_letters;
DROP TABLE queue;
