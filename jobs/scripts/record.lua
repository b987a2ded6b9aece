-- Records what became of jobs. ARGV: ms kept, then for each job: stream, entry, id, attempt, status,
-- outputs, error (empty: none). Returns for each 1 if it was recorded; 0 if the attempt is no longer
-- the current one, or the job has ended, and so nothing changed.

local retention = tonumber(ARGV[1])
local recorded = {}
for at = 2, #ARGV, 7 do
  local stream, entry, id, attempt, status, outputs, error = unpack(ARGV, at, at + 6)
  local seen = look(id)
  local current = seen.status == 'running' and seen.attempt == attempt
  if current then
    end_job(id, seen, status, retention, outputs, error)
    leave(stream, entry)
  end
  recorded[#recorded + 1] = current and 1 or 0
end
close()
return recorded
