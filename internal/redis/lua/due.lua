-- due: what the relay owes the queue now, oldest first, unsent before unsettled.
-- KEYS      bodies unsent unsettled tries
-- ARGV      unsent_ms unsettled_ms ('' leaves that set out) tries_max slow_ms max
-- Returns   {'ok', per batch: batch, 1 if unsent, tries, body}
-- Promises  every batch returned is scored with the present time and its try is counted; a repeat counts once more.
--           Of the slow ones (tries >= tries_max) at most LOOK_MAX are passed over per set and call.
local LOOK_MAX = 1024
local tries_max, slow, max = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local _, milli = clock()
local out, found = {'ok'}, 0

local function take(set, batch, unsent)
  local body = redis.call('HGET', KEYS[1], batch)
  if not body then
    redis.call('ZREM', set, batch) -- nobody can publish it
    redis.call('HDEL', KEYS[4], batch)
    return
  end
  redis.call('ZADD', set, whole(milli), batch)
  out[#out + 1] = batch
  out[#out + 1] = unsent
  out[#out + 1] = redis.call('HINCRBY', KEYS[4], batch, 1)
  out[#out + 1] = body
  found = found + 1
end

local function collect(set, age, unsent)
  if not age then
    return
  end
  local looked = redis.call('ZRANGEBYSCORE', set, '-inf', whole(milli - age), 'WITHSCORES', 'LIMIT', 0, LOOK_MAX)
  for i = 1, #looked, 2 do
    if found >= max then
      return
    end
    local tries = tonumber(redis.call('HGET', KEYS[4], looked[i]) or '0')
    if tries < tries_max or tonumber(looked[i + 1]) <= milli - slow then
      take(set, looked[i], unsent)
    end
  end
end

collect(KEYS[2], tonumber(ARGV[1]), 1)
collect(KEYS[3], tonumber(ARGV[2]), 0)
return out
