-- expire: a closed item's keys go after a while.
-- KEYS      meta gate buyers bodies unsent unsettled tries
-- ARGV      after_ms
-- Returns   {'ok'}
-- Promises  does nothing while the outbox owes anything; a repeat never prolongs what is already set.
if redis.call('ZCARD', KEYS[5]) + redis.call('ZCARD', KEYS[6]) > 0 then
  return {'ok'}
end
for _, key in ipairs(KEYS) do
  local left = redis.call('PTTL', key)
  if left == -1 or left > tonumber(ARGV[1]) then
    redis.call('PEXPIRE', key, ARGV[1])
  end
end
return {'ok'}
