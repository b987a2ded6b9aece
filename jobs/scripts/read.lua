-- Reads records. ARGV: watcher, ids. Whoever gives a watcher (a channel) is told when a job ends that has not
-- ended yet. Returns for each id the fields that jobs/record.py reads, in its order; none is set if it is not there.

local watcher = ARGV[1]

local function watch(key, watchers)
  if not watchers then
    redis.call('HSET', key, 'watchers', watcher)
  elseif not string.find(' ' .. watchers .. ' ', ' ' .. watcher .. ' ', 1, true) then
    redis.call('HSET', key, 'watchers', watchers .. ' ' .. watcher)
  end
end

local records = {}
for i = 2, #ARGV do
  local key = key_of(ARGV[i])
  local record = redis.call('HMGET', key, 'v', 'status', 'model', 'sha', 'owner', 'attempt', 'started', 'finished',
                            'expires', 'outputs', 'error', 'metadata')
  if watcher ~= '' and record[1] and not record[8] then watch(key, redis.call('HGET', key, 'watchers')) end
  records[i - 1] = record
end
return records
