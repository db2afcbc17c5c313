-- +goose Up
-- tells is the event that the shop has still to be told of a step, 0 when there is none: what ought to be in events.
ALTER TABLE order_events ADD COLUMN tells BIGINT NOT NULL DEFAULT 0;
UPDATE order_events SET tells = (SELECT MAX(events.id) FROM events
        WHERE events.subject = order_events.order_id AND events.version = order_events.version)
    WHERE EXISTS (SELECT 1 FROM events
        WHERE events.subject = order_events.order_id AND events.version = order_events.version);

-- spread is 0 until the dispatches are written, and then one more than there are left.
UPDATE events SET spread = 1 + (SELECT COUNT(*) FROM dispatches WHERE dispatches.event = events.id) WHERE spread > 0;

-- +goose Down
ALTER TABLE order_events DROP COLUMN tells;
