-- Reads records. KEYS: line. ARGV: watcher, ms kept, ids. Whoever gives a watcher (a channel) is told when a job ends
-- that has not ended yet. Returns for each id what read_record gives.

local watcher, retention = ARGV[1], tonumber(ARGV[2])

local function watch(key, watchers)
  if not watchers then
    redis.call('HSET', key, 'watchers', watcher)
  elseif not string.find(' ' .. watchers .. ' ', ' ' .. watcher .. ' ', 1, true) then
    redis.call('HSET', key, 'watchers', watchers .. ' ' .. watcher)
  end
end

local records = {}
for i = 3, #ARGV do
  local key = key_of(ARGV[i])
  local record = read_record(KEYS[1], ARGV[i], retention)
  if watcher ~= '' and record[1] and not record[8] then watch(key, redis.call('HGET', key, 'watchers')) end
  records[#records + 1] = record
end
close()
return records
