-- Cancels a batch. ARGV: id, ms kept. Returns the status it then has; nil if there is none. What waits of it in the
-- line is dropped by the child that gets it.
local id, retention = ARGV[1], tonumber(ARGV[2])
expire_overdue(id, retention)
local key = key_of(id)
local status = redis.call('HGET', key, 'status')
if status == 'validating' or status == 'queued' then
  end_batch(id, 'canceled', retention, '')
elseif status == 'running' then
  redis.call('HSET', key, 'status', 'canceling')
  go_on(id)
end
return redis.call('HGET', key, 'status')
