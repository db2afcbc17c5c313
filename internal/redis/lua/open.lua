-- open: a loaded epoch begins to sell, and gets its gate.
-- KEYS      meta gate
-- ARGV      epoch run_id replid until
-- Returns   {'ok'} or {'not_live'}
-- Promises  once per epoch: a repeat, or another epoch, is refused and changes nothing. No other script makes a gate.
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'state')
if meta[1] ~= ARGV[1] or meta[2] ~= 'closed' then
  return {'not_live'}
end
redis.call('HSET', KEYS[1], 'state', 'open')
write_gate(KEYS[2], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]))
return {'ok'}
