-- +goose NO TRANSACTION
-- +goose Up
-- What a user gave back of such an item counts against the limit as if he still held it. MySQL and TiDB know no ADD COLUMN
-- IF NOT EXISTS, so each change looks first; it has a default because rows exist, and the code before writes none.
SET @change = (SELECT IF(COUNT(*) = 0, 'ALTER TABLE items ADD COLUMN one_try BIGINT NOT NULL DEFAULT 0', 'DO 0')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'items' AND column_name = 'one_try');
PREPARE change_table FROM @change;
EXECUTE change_table;
DEALLOCATE PREPARE change_table;

SET @change = (SELECT IF(COUNT(*) = 0, 'ALTER TABLE stock ADD COLUMN one_try BIGINT NOT NULL DEFAULT 0', 'DO 0')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'stock' AND column_name = 'one_try');
PREPARE change_table FROM @change;
EXECUTE change_table;
DEALLOCATE PREPARE change_table;

-- +goose Down
SET @change = (SELECT IF(COUNT(*) = 1, 'ALTER TABLE stock DROP COLUMN one_try', 'DO 0')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'stock' AND column_name = 'one_try');
PREPARE change_table FROM @change;
EXECUTE change_table;
DEALLOCATE PREPARE change_table;

SET @change = (SELECT IF(COUNT(*) = 1, 'ALTER TABLE items DROP COLUMN one_try', 'DO 0')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'items' AND column_name = 'one_try');
PREPARE change_table FROM @change;
EXECUTE change_table;
DEALLOCATE PREPARE change_table;
