-- state: everything that is decided locally or judged by the keeper, in one reading.
-- KEYS      meta gate unsent unsettled
-- ARGV      identity
-- Returns   {'ok', micros, run_id, replid, unsent, unsettled, live 0/1, gate's epoch run_id replid ('' without one), then
--           meta's epoch avail sold issue opens closes limit state paused (all '' without meta)}
-- Promises  writes nothing; live is what reserve would find.
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'avail', 'sold', 'issue', 'opens', 'closes', 'limit', 'state', 'paused')
local micros, milli = clock()
local run, replid = identity(ARGV[1])
local gate_epoch, gate_run, gate_replid = read_gate(KEYS[2])
local live = meta[8] == 'open' and gate_holds(KEYS[2], meta[1], milli, ARGV[1])
local out = {
  'ok', micros, run, replid, redis.call('ZCARD', KEYS[3]), redis.call('ZCARD', KEYS[4]), live and 1 or 0,
  gate_epoch or '', gate_run or '', gate_replid or '',
}
for i = 1, 9 do
  out[#out + 1] = meta[i] or ''
end
return out
