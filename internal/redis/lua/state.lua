-- state: everything that is decided locally or judged by the keeper, in one reading.
-- KEYS      meta gate unsent unsettled
-- ARGV      identity, '-' when whoever calls asks the server's name before and after all of its readings (INFO is the dearest part)
-- Returns   {'ok', micros, run_id, replid ('' for '-'), unsent, unsettled, gate ('' without one), then meta's epoch avail sold
--           issue opens closes limit state paused (all '' without meta)}
-- Promises  writes nothing; what reserve would find live follows from it.
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'avail', 'sold', 'issue', 'opens', 'closes', 'limit', 'state', 'paused')
local micros = clock()
local run, replid = '', ''
if ARGV[1] ~= '-' then
  run, replid = identity(ARGV[1])
end
return {
  'ok', micros, run, replid, redis.call('ZCARD', KEYS[3]), redis.call('ZCARD', KEYS[4]), redis.call('GET', KEYS[2]) or '',
  meta[1] or '', meta[2] or '', meta[3] or '', meta[4] or '', meta[5] or '', meta[6] or '', meta[7] or '', meta[8] or '', meta[9] or '',
}
