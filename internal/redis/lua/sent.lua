-- sent: the queue has these batches.
-- KEYS      unsent unsettled tries
-- ARGV      batches
-- Returns   {'ok'}
-- Promises  moves only what is unsent: a batch that was settled meanwhile does not come back. Its tries begin anew,
--           because from now on they count how often settling did not follow.
local _, milli = clock()
for _, batch in ipairs(ARGV) do
  if redis.call('ZREM', KEYS[1], batch) == 1 then
    redis.call('ZADD', KEYS[2], whole(milli), batch)
    redis.call('HDEL', KEYS[3], batch)
  end
end
return {'ok'}
