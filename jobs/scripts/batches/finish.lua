-- A batch ends. ARGV: entry, id, status, ms kept, error. Returns the status that it then has; nil if it has ended
-- before. One that is to be canceled is, and one of which a chunk could not be scored has failed: with what was scored.
local entry, id, status, retention, error = unpack(ARGV)
leave(entry)
local record = redis.call('HMGET', key_of(id), 'status', 'finished', 'error')
if not record[1] or record[2] then return false end
if record[1] == 'canceling' then
  status, error = 'canceled', ''
elseif record[3] then
  status, error = 'failed', ''
end
end_batch(id, status, tonumber(retention), error)
return status
