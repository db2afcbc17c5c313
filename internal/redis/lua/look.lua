-- look: reads buyers' entries.
-- KEYS      meta gate buyers
-- ARGV      identity, then per request: user rid keyhash (rid '' asks by keyhash)
-- Returns   {'not_live'} or {'ok', per request: 0, or 1 rid quantity keyhash batch}
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

for n = 1, #users do
  local rid, keyhash, found = ARGV[3 * n], ARGV[3 * n + 1], false
  for known_rid, quantity, known_hash, of in string.gmatch(values[n] or '', ENTRY) do
    if (rid ~= '' and known_rid == rid) or (rid == '' and known_hash == keyhash) then
      say(1)
      say(known_rid)
      say(quantity)
      say(known_hash)
      say(of)
      found = true
      break
    end
  end
  if not found then
    say(0)
  end
end
return out
