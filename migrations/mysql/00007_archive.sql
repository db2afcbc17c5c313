-- +goose NO TRANSACTION
-- +goose Up
-- What is kept at hand of sales that were put away; on the catalog's shard.
CREATE TABLE IF NOT EXISTS sale_summaries (
    sale BIGINT     NOT NULL PRIMARY KEY,
    body MEDIUMTEXT NOT NULL,
    at   BIGINT     NOT NULL
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS sale_summaries;
