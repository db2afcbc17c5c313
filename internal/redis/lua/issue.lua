-- issue: more units for the present epoch.
-- KEYS      meta
-- ARGV      epoch number units
-- Returns   {'ok', 1 if it was applied by this call} or {'not_live'} (another epoch, not opened, or a gap in the numbers)
-- Promises  each number is applied once; a known one is a no-op. Numbers never restart, not even with an epoch.
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'state', 'issue')
if meta[1] ~= ARGV[1] or meta[2] ~= 'open' then
  return {'not_live'}
end
local last, number = tonumber(meta[3]), tonumber(ARGV[2])
if number > last + 1 then
  return {'not_live'}
end
if number <= last then
  return {'ok', 0}
end
redis.call('HINCRBY', KEYS[1], 'avail', ARGV[3])
redis.call('HSET', KEYS[1], 'issue', ARGV[2])
return {'ok', 1}
