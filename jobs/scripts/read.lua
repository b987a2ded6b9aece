-- Reads records. ARGV: watcher, ids. Whoever gives a watcher (a channel) is told when a job ends that
-- has not ended yet. Returns for each id the fields and values of its record, none if it is not there.

local watcher = ARGV[1]
local records = {}
for i = 2, #ARGV do
  local key = key_of(ARGV[i])
  local record = redis.call('HGETALL', key)
  if watcher ~= '' and #record > 0 and redis.call('HEXISTS', key, 'finished') == 0 then
    local watchers = redis.call('HGET', key, 'watchers') or ''
    if not string.find(' ' .. watchers .. ' ', ' ' .. watcher .. ' ', 1, true) then
      redis.call('HSET', key, 'watchers', watchers == '' and watcher or watchers .. ' ' .. watcher)
    end
  end
  records[i - 1] = record
end
return records
