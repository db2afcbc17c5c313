-- look: reads buyers' entries.
-- KEYS      meta gate buyers unsent
-- ARGV      identity, then per request: user rid keyhash (rid '' asks by keyhash, both '' for all the user has)
-- Returns   {'not_live'} or {'ok', per request: how many were found, each as rid quantity keyhash batch, 1 if that is unsent}
-- Promises  writes nothing; answers while paused and outside the window too.
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'state')
local _, milli = clock()
if meta[2] ~= 'open' or not gate_holds(KEYS[2], meta[1], milli, ARGV[1]) then
  return {'not_live'}
end

local users = {}
for i = 2, #ARGV, 3 do
  users[#users + 1] = ARGV[i]
end
local values = redis.call('HMGET', KEYS[3], unpack(users))

local out = {'ok'}
local function say(value)
  out[#out + 1] = value
end

local function asked(rid, keyhash, known_rid, known_hash)
  if rid ~= '' then
    return rid == known_rid
  end
  return keyhash == '' or keyhash == known_hash
end

for n = 1, #users do
  local rid, keyhash = ARGV[3 * n], ARGV[3 * n + 1]
  say(0)
  local count_at = #out
  for known_rid, quantity, known_hash, of in string.gmatch(values[n] or '', ENTRY) do
    if asked(rid, keyhash, known_rid, known_hash) then
      out[count_at] = out[count_at] + 1
      say(known_rid)
      say(quantity)
      say(known_hash)
      say(of)
      say(of ~= '' and redis.call('ZSCORE', KEYS[4], of) and 1 or 0)
      if rid ~= '' or keyhash ~= '' then
        break
      end
    end
  end
end
return out
