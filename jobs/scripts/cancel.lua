-- Cancels a job that waits. ARGV: id, ms kept. Returns the status it then has, or nil if it is not there.
-- What is left of it in the line is dropped by the child that claims it.

local id = ARGV[1]
local record = redis.call('HMGET', key_of(id), 'status', 'watchers')
if record[1] ~= 'queued' then return record[1] end
end_job(id, record[2], 'canceled', tonumber(ARGV[2]), '', '')
close()
return 'canceled'
