-- Cancels a job that waits. ARGV: id, ms kept. Returns the status it then has, or nil if it is not there.
-- What is left of it in the line is dropped by the child that claims it.

local id = ARGV[1]
local status = redis.call('HGET', key_of(id), 'status')
if status == 'queued' then
  end_job(id, 'canceled', tonumber(ARGV[2]))
  tell_watchers()
  return 'canceled'
end
return status
