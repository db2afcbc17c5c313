-- outbox: a page of every batch that is not settled: the unsent ones, then the others, each oldest first.
-- KEYS      bodies unsent unsettled tries
-- ARGV      offset limit
-- Returns   {'ok', per batch: batch, 1 if unsent, tries, body}
-- Promises  writes nothing. Pages shift when batches are sent or settled between two calls.
local offset, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local out, found = {'ok'}, 0

local function collect(set, from, unsent)
  if found >= limit then
    return
  end
  for _, batch in ipairs(redis.call('ZRANGE', set, from, from + limit - found - 1)) do
    found = found + 1
    local body = redis.call('HGET', KEYS[1], batch)
    if body then
      out[#out + 1] = batch
      out[#out + 1] = unsent
      out[#out + 1] = redis.call('HGET', KEYS[4], batch) or '0'
      out[#out + 1] = body
    end
  end
end

local unsent = redis.call('ZCARD', KEYS[2])
if offset < unsent then
  collect(KEYS[2], offset, 1)
end
collect(KEYS[3], math.max(offset - unsent, 0), 0)
return out
