-- +goose NO TRANSACTION
-- +goose Up
-- tells is the event that the shop has still to be told of a step, 0 when there is none: what ought to be in events.
SET @change = (SELECT IF(COUNT(*) = 0, 'ALTER TABLE order_events ADD COLUMN tells BIGINT NOT NULL DEFAULT 0', 'DO 0')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'order_events' AND column_name = 'tells');
PREPARE change_table FROM @change;
EXECUTE change_table;
DEALLOCATE PREPARE change_table;

UPDATE order_events SET tells = (SELECT MAX(events.id) FROM events
        WHERE events.subject = order_events.order_id AND events.version = order_events.version)
    WHERE EXISTS (SELECT 1 FROM events
        WHERE events.subject = order_events.order_id AND events.version = order_events.version);

-- spread is 0 until the dispatches are written, and then one more than there are left.
UPDATE events SET spread = 1 + (SELECT COUNT(*) FROM dispatches WHERE dispatches.event = events.id) WHERE spread > 0;

-- +goose Down
SET @change = (SELECT IF(COUNT(*) = 1, 'ALTER TABLE order_events DROP COLUMN tells', 'DO 0')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'order_events' AND column_name = 'tells');
PREPARE change_table FROM @change;
EXECUTE change_table;
DEALLOCATE PREPARE change_table;
