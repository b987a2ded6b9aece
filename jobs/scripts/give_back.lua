-- Leaves claimed jobs for another worker. ARGV: lease ms, reason, then for each: stream, entry, id, attempt.
-- The sweeper takes them as soon as what is left of the lease, a few seconds, has passed; and if this was the
-- last attempt, it ends them with this reason as their error.

local REST = 4000

local lease, reason = tonumber(ARGV[1]), ARGV[2]
for at = 3, #ARGV, 4 do
  local stream, entry, id, attempt = unpack(ARGV, at, at + 3)
  local record = redis.call('HMGET', key_of(id), 'status', 'attempt')
  if record[1] == 'running' and record[2] == attempt then
    redis.call('HSET', key_of(id), 'reason', reason)
    redis.call('XCLAIM', stream, GROUP, 'given back', 0, entry, 'IDLE', math.max(lease - REST, 0), 'JUSTID')
  end
end
