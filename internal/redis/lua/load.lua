-- load: the last step of a load. The epoch stays closed until `open`.
-- KEYS      meta gate buyers side
-- ARGV      epoch buyers issue avail opens closes limit paused version
-- Returns   {'ok'}, {'epoch_known'}, or {'buyers_lost', how many the side key holds} with nothing done
-- Promises  an epoch is loaded at most once; the outbox stays; no gate is left; no expiry of an earlier `expire` or of
--           the side key is inherited.
local known = redis.call('HGET', KEYS[1], 'epoch')
if known and tonumber(known) >= tonumber(ARGV[1]) then
  return {'epoch_known'}
end
local buyers = redis.call('HLEN', KEYS[4])
if buyers ~= tonumber(ARGV[2]) then
  return {'buyers_lost', buyers}
end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('UNLINK', KEYS[3]) -- a million buyers would hold up everybody else for half a second
if buyers > 0 then
  redis.call('RENAME', KEYS[4], KEYS[3])
  redis.call('PERSIST', KEYS[3])
end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'sold', '0', 'issue', ARGV[3], 'avail', ARGV[4], 'opens', ARGV[5],
  'closes', ARGV[6], 'limit', ARGV[7], 'paused', ARGV[8], 'version', ARGV[9], 'state', 'closed')
return {'ok'}
