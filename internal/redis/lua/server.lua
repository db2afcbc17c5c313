-- server: who serves the item, and its clock.
-- KEYS      meta (only routes the call), or none
-- ARGV      identity
-- Returns   {'ok', micros, run_id, replid}
-- Promises  writes nothing; the three belong together.
local run, replid = identity(ARGV[1])
local micros = clock()
return {'ok', micros, run, replid}
