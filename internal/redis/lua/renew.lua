-- renew: prolongs a gate and carries the sale's settings.
-- KEYS      meta gate
-- ARGV      epoch run_id replid until version paused opens closes limit
-- Returns   {'ok'} or {'not_live'}
-- Promises  never lights a gate that is not there for this epoch and server, never shortens one; settings older than
--           meta's version are left out, so that a late call does not undo a pause, and those it has already are not written.
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'version', 'paused', 'opens', 'closes', 'limit')
local gate = redis.call('GET', KEYS[2])
local name = ARGV[1] .. ' ' .. ARGV[2] .. ' ' .. ARGV[3] .. ' ' -- as write_gate spells it
if not gate or meta[1] ~= ARGV[1] or string.sub(gate, 1, #name) ~= name then
  return {'not_live'}
end
local till = tonumber(string.sub(gate, #name + 1))
write_gate(KEYS[2], ARGV[1], ARGV[2], ARGV[3], math.max(till, tonumber(ARGV[4])))
local same = meta[2] == ARGV[5] and meta[3] == ARGV[6] and meta[4] == ARGV[7] and meta[5] == ARGV[8] and meta[6] == ARGV[9]
if not same and tonumber(ARGV[5]) >= tonumber(meta[2]) then
  redis.call('HSET', KEYS[1], 'version', ARGV[5], 'paused', ARGV[6], 'opens', ARGV[7], 'closes', ARGV[8],
    'limit', ARGV[9])
end
return {'ok'}
