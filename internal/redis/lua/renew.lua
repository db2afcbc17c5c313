-- renew: prolongs a gate and carries the sale's settings.
-- KEYS      meta gate
-- ARGV      epoch run_id replid until version paused opens closes limit
-- Returns   {'ok'} or {'not_live'}
-- Promises  never lights a gate that is not there for this epoch and server, never shortens one; settings older than
--           meta's version are left out, so that a late call does not undo a pause.
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'version')
local epoch, run, replid, till = read_gate(KEYS[2])
if not till or meta[1] ~= ARGV[1] or epoch ~= ARGV[1] or run ~= ARGV[2] or replid ~= ARGV[3] then
  return {'not_live'}
end
write_gate(KEYS[2], epoch, run, replid, math.max(till, tonumber(ARGV[4])))
if tonumber(ARGV[5]) >= tonumber(meta[2]) then
  redis.call('HSET', KEYS[1], 'version', ARGV[5], 'paused', ARGV[6], 'opens', ARGV[7], 'closes', ARGV[8],
    'limit', ARGV[9])
end
return {'ok'}
