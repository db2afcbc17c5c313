-- +goose Up
-- What a user gave back of such an item counts against the limit as if he still held it.
ALTER TABLE items ADD COLUMN one_try BIGINT NOT NULL DEFAULT 0;
ALTER TABLE stock ADD COLUMN one_try BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE stock DROP COLUMN one_try;
ALTER TABLE items DROP COLUMN one_try;
