-- buyer: SQL decided about one reservation; its user's entry follows.
-- KEYS      meta buyers
-- ARGV      epoch user rid quantity keyhash batch
-- Returns   {'ok'} or {'not_live'} (not an opened epoch, or one older than the one seen: still owed)
-- Promises  absent: added; present: the smaller quantity, key and batch as they were. Entries are never removed, so a
--           key stays known. Avail is never touched: returned units come back as an issue.
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'state')
if meta[2] ~= 'open' or tonumber(meta[1]) < tonumber(ARGV[1]) then
  return {'not_live'}
end
local present, value = false, {}
for rid, quantity, keyhash, of in string.gmatch(redis.call('HGET', KEYS[2], ARGV[2]) or '', ENTRY) do
  if rid == ARGV[3] then
    present = true
    quantity = whole(math.min(tonumber(quantity), tonumber(ARGV[4])))
  end
  value[#value + 1] = entry(rid, quantity, keyhash, of)
end
if not present then
  value[#value + 1] = entry(ARGV[3], ARGV[4], ARGV[5], ARGV[6])
end
redis.call('HSET', KEYS[2], ARGV[2], table.concat(value))
return {'ok'}
