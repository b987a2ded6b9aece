-- Removes a job that has ended, and all that is kept of it. KEYS: line. ARGV: id, raw id, ms kept.
-- Returns the status that it has, or had if it was removed; nil if it is not there.

local line, id, raw, retention = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local record = read_record(line, id, retention)
close()
if not record[1] or not record[8] then return record[2] end
local key = key_of(id)
local once = redis.call('HGET', key, 'once')
if once then redis.call('DEL', once) end
redis.call('DEL', key)
redis.call('ZREM', owned_by(record[5]), raw)
return record[2]
