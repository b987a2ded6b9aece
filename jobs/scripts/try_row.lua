-- Notes which row of a list is under way. ARGV: id, attempt, row.
local record = redis.call('HMGET', key_of(ARGV[1]), 'status', 'attempt')
if record[1] == 'running' and record[2] == ARGV[2] then
  redis.call('HSET', key_of(ARGV[1]), 'trying', ARGV[3])
end
