-- +goose Up
-- What is kept at hand of sales that were put away; on the catalog's shard.
CREATE TABLE sale_summaries (
    sale BIGINT NOT NULL PRIMARY KEY,
    body TEXT   NOT NULL,
    at   BIGINT NOT NULL
);

-- +goose Down
DROP TABLE sale_summaries;
