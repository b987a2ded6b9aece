-- Cancels a job that waits. KEYS: line. ARGV: id, ms kept. Returns the status it then has, or nil if it is not there.

local line, id, retention = KEYS[1], ARGV[1], tonumber(ARGV[2])
local seen = look(id)
if seen.status ~= 'queued' then return seen.status end
if overdue(seen.status, seen.deadline, seen.attempt) then
  expire(line, id, retention)
else
  withdraw(line, id)
  end_job(id, seen, 'canceled', retention, '', '')
end
close()
return redis.call('HGET', key_of(id), 'status')
