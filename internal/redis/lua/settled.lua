-- settled: SQL has these batches.
-- KEYS      bodies unsent unsettled tries
-- ARGV      batches
-- Returns   {'ok'}
-- Promises  nothing of them is left in the outbox; repeatable.
redis.call('HDEL', KEYS[1], unpack(ARGV))
redis.call('ZREM', KEYS[2], unpack(ARGV))
redis.call('ZREM', KEYS[3], unpack(ARGV))
redis.call('HDEL', KEYS[4], unpack(ARGV))
return {'ok'}
