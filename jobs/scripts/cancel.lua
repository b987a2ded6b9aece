-- Cancels a job that waits. ARGV: id, ms kept. Returns the status it then has, or nil if it is not there.
-- What is left of it in the line is dropped by the child that claims it.

local id = ARGV[1]
local seen = look(id)
if seen.status ~= 'queued' then return seen.status end
end_job(id, seen, 'canceled', tonumber(ARGV[2]), '', '')
close()
return 'canceled'
