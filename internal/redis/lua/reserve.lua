-- reserve: decides requests in order, each seeing the earlier ones, and writes buyers and one outbox entry.
-- KEYS      meta gate buyers bodies unsent
-- ARGV      identity item batch bodies_max units most message, then per request: user entry
--             units and most are the sum and the largest of the quantities; message is what the message's list is if everybody
--             gets what they ask for, '' when somebody asks twice
-- Returns   {'not_live'}     nothing was decided
--           {'batch_known'}  the batch has or had a message already and this call would make another; nothing was done
--           {'ok', epoch, sold, avail, micros, own body or '', n, n x (batch, body), then per request its code and
--              1 accepted, 6 not started, 7 ended, 8 paused: nothing
--              2 replayed, 3 unsent, 4 mismatch, 5 given back: rid quantity batch
--              9 limit reached: n, n x (rid quantity keyhash batch); 10 sold out: available}
-- Promises  a known key or rid hears what was said before, whatever state, window or stock say now; one refusal stops
--           nobody; a repeat with the same rids and a new batch reserves nothing twice. All writes come last.
local ACCEPTED, REPLAYED, UNSENT, MISMATCH, GIVEN_BACK = 1, 2, 3, 4, 5
local NOT_STARTED, ENDED, PAUSED, LIMIT_REACHED, SOLD_OUT = 6, 7, 8, 9, 10

local meta = redis.call('HMGET', KEYS[1], 'epoch', 'state', 'avail', 'sold', 'opens', 'closes', 'limit', 'paused')
local micros, milli = clock()
if meta[2] ~= 'open' or not gate_holds(KEYS[2], meta[1], milli, ARGV[1]) then
  return {'not_live'}
end
local epoch, avail, sold = meta[1], tonumber(meta[3]), tonumber(meta[4])
local limit = tonumber(meta[7])
local item, batch, bodies_max = ARGV[2], ARGV[3], tonumber(ARGV[4])
local units, most, message = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
local FIRST = 8 -- of the requests in ARGV

local closed
if meta[8] == '1' then
  closed = PAUSED
elseif milli < tonumber(meta[5]) then
  closed = NOT_STARTED
elseif milli >= tonumber(meta[6]) then
  closed = ENDED
end

local users = {}
for i = FIRST, #ARGV, 2 do
  users[#users + 1] = ARGV[i]
end
local values = redis.call('HMGET', KEYS[3], unpack(users))

local body = ''

-- What is reserved, as the message's list and as users and their values.
local function write(reservations, ...)
  body = '{"v":1,"batch":"' .. batch .. '","item":"' .. item .. '","epoch":' .. epoch .. ',"at":' .. whole(milli)
    .. ',"sold":' .. whole(sold) .. ',"reservations":[' .. reservations .. ']}'
  redis.call('HSET', KEYS[1], 'avail', whole(avail), 'sold', whole(sold))
  redis.call('HSET', KEYS[3], ...)
  redis.call('HSET', KEYS[4], batch, body)
  redis.call('ZADD', KEYS[5], whole(milli), batch)
end

-- The crowd's case, and several times cheaper than the other: all come for the first time, and there is enough for all.
local function all_new()
  if closed or message == '' or units > avail or most > limit then
    return false
  end
  for i = 1, #users do
    if values[i] then
      return false
    end
  end
  return true
end

if all_new() then
  if redis.call('HEXISTS', KEYS[4], batch) == 1 then
    return {'batch_known'}
  end
  avail, sold = avail - units, sold + units
  write(message, unpack(ARGV, FIRST))
  local reply = {'ok', epoch, whole(sold), whole(avail), micros, body, 0}
  for i = 1, #users do
    reply[7 + i] = ACCEPTED
  end
  return reply
end

local held = {}
for i, user in ipairs(users) do
  held[user] = values[i] or ''
end

local fresh = {} -- the message's reservations
local accepted = {} -- their ids
local changed = {} -- users with a new value
local repeated = false -- an earlier call with this batch has reserved something, and may be settled
local unsent, bodies = {}, {}

local function is_unsent(of)
  if of == '' then
    return false
  end
  if of == batch and #fresh > 0 then
    return true -- it is this call's own message
  end
  if unsent[of] == nil then
    unsent[of] = redis.call('ZSCORE', KEYS[5], of) and true or false
    local body = unsent[of] and #bodies < 2 * bodies_max and redis.call('HGET', KEYS[4], of)
    if body then
      bodies[#bodies + 1] = of
      bodies[#bodies + 1] = body
    end
  end
  return unsent[of]
end

-- The entry of this key or id, else only how much the user holds.
local function find(value, rid, keyhash)
  local sum = 0
  if value == '' then
    return sum -- most shoppers come once
  end
  for known_rid, quantity, known_hash, of in string.gmatch(value, ENTRY) do
    if known_rid == rid or known_hash == keyhash then
      return sum, known_rid, quantity, of
    end
    sum = sum + tonumber(quantity)
  end
  return sum
end

local function replay(asked, quantity, of)
  if quantity == '0' then
    return GIVEN_BACK
  elseif quantity ~= asked then
    return MISMATCH
  elseif is_unsent(of) then
    return UNSENT
  end
  return REPLAYED
end

local out = {}
local function say(value)
  out[#out + 1] = value
end

local function refuse_limit(value)
  say(LIMIT_REACHED)
  say(0)
  local count_at = #out
  for rid, quantity, keyhash, of in string.gmatch(value, ENTRY) do
    if quantity ~= '0' then
      out[count_at] = out[count_at] + 1
      say(rid)
      say(quantity)
      say(keyhash)
      say(of)
    end
  end
end

local function accept(rid, user, asked, keyhash, its_entry)
  avail, sold = avail - tonumber(asked), sold + tonumber(asked)
  held[user] = held[user] .. its_entry
  changed[user] = true
  accepted[rid] = true
  fresh[#fresh + 1] = '["' .. rid .. '","' .. user .. '",' .. asked .. ',"' .. keyhash .. '"]'
  say(ACCEPTED)
end

for i = FIRST, #ARGV, 2 do
  local user = ARGV[i]
  local rid, asked, keyhash = string.match(ARGV[i + 1], ENTRY)
  local sum, known_rid, quantity, of = find(held[user], rid, keyhash)
  if known_rid then
    repeated = repeated or of == batch and not accepted[known_rid]
    say(replay(asked, quantity, of))
    say(known_rid)
    say(quantity)
    say(of)
  elseif closed then
    say(closed)
  elseif sum + tonumber(asked) > limit then
    refuse_limit(held[user])
  elseif avail < tonumber(asked) then
    say(SOLD_OUT)
    say(whole(avail))
  else
    accept(rid, user, asked, keyhash, ARGV[i + 1])
  end
end

if #fresh > 0 then
  if repeated or redis.call('HEXISTS', KEYS[4], batch) == 1 then
    return {'batch_known'}
  end
  local pairs_of = {}
  for user in pairs(changed) do
    pairs_of[#pairs_of + 1] = user
    pairs_of[#pairs_of + 1] = held[user]
  end
  write(table.concat(fresh, ','), unpack(pairs_of))
end

local reply = {'ok', epoch, whole(sold), whole(avail), micros, body, #bodies / 2}
for _, value in ipairs(bodies) do
  reply[#reply + 1] = value
end
for _, value in ipairs(out) do
  reply[#reply + 1] = value
end
return reply
