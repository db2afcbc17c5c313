-- Put in front of every script (script.go), so that gate and buyer values have one reading.
-- Ids, epochs and hashes stay strings: a Lua number ends at 2^53. Counts and times are numbers below that.

-- One reservation inside a buyer's value: rid,quantity,keyhash,batch;
local ENTRY = '([^,;]+),(%d+),([^,;]+),(%d*);'

local function entry(rid, quantity, keyhash, batch)
  return rid .. ',' .. quantity .. ',' .. keyhash .. ',' .. batch .. ';'
end

-- The decimal form; tostring would turn large amounts into 1e+15.
local function whole(number)
  return string.format('%.0f', number)
end

-- Redis time in microseconds and in milliseconds.
local function clock()
  local time = redis.call('TIME')
  local micros = tonumber(time[1]) * 1000000 + tonumber(time[2])
  return micros, math.floor(micros / 1000)
end

local run_id, replication_id -- this server's, once asked

-- A hexadecimal line of INFO. A plain search is a memchr; a pattern would try every byte of the text.
local function line(info, name)
  local _, last = string.find(info, '\n' .. name .. ':', 1, true)
  return last and string.match(info, '^%x+', last + 1) or ''
end

-- run_id and master_replid of this server; `fixed` ("run_id replid") replaces them where INFO cannot tell.
local function identity(fixed)
  if fixed ~= '' then
    return string.match(fixed, '^(%S+) (%S+)$')
  end
  if not run_id then
    local info = redis.call('INFO', 'server', 'replication')
    run_id, replication_id = line(info, 'run_id'), line(info, 'master_replid')
  end
  return run_id, replication_id
end

-- epoch, run_id, replid and until (ms) of the gate; nothing when there is none.
local function read_gate(key)
  local gate = redis.call('GET', key)
  if gate then
    local epoch, run, replid, till = string.match(gate, '^(%d+) (%S+) (%S+) (%-?%d+)$')
    return epoch, run, replid, tonumber(till)
  end
end

-- Neither the append-only file nor a replica may learn of the gate: whoever was not there must not sell. It outlives
-- `until` so that renewing the same epoch can resume, and one hour at most.
local function write_gate(key, epoch, run, replid, till)
  redis.set_repl(redis.REPL_NONE)
  redis.call('SET', key, epoch .. ' ' .. run .. ' ' .. replid .. ' ' .. whole(till), 'PX', 3600000)
  redis.set_repl(redis.REPL_ALL)
end

-- Whether this very server may decide for the epoch now. A full sync, a snapshot and an AOF rewrite do copy the gate,
-- hence the comparison; INFO is asked last because it is the dearest part.
local function gate_holds(key, epoch, milli, fixed)
  local gate_epoch, gate_run, gate_replid, till = read_gate(key)
  if not till or gate_epoch ~= epoch or milli >= till then
    return false
  end
  local run, replid = identity(fixed)
  return gate_run == run and gate_replid == replid
end
