-- A batch ends. ARGV: entry, id, status, ms kept, error. Returns 1 if it does so, 0 if it has ended before.
-- One that is to be canceled is, with what was scored before.
local entry, id, status, retention, error = unpack(ARGV)
leave(entry)
local record = redis.call('HMGET', key_of(id), 'status', 'finished')
if not record[1] or record[2] then return 0 end
if record[1] == 'canceling' then status, error = 'canceled', '' end
end_batch(id, status, tonumber(retention), error)
return 1
