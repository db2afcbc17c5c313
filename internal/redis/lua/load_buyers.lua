-- load_buyers: one chunk of whole buyers for the load of an epoch.
-- KEYS      meta side
-- ARGV      epoch, then user value pairs
-- Returns   {'ok'} or {'epoch_known'}
-- Promises  repeatable; what is in use stays as it is. The side key belongs to one attempt and lasts ten minutes after
--           its last chunk.
local known = redis.call('HGET', KEYS[1], 'epoch')
if known and tonumber(known) >= tonumber(ARGV[1]) then
  return {'epoch_known'}
end
redis.call('HSET', KEYS[2], unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[2], 600000)
return {'ok'}
