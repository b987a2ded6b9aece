-- Removes a batch that has ended, and soon its files. ARGV: id, raw id, ms kept. Returns the status that it has, or
-- had if it was removed; nil if there is none.
local id, raw = ARGV[1], ARGV[2]
local record = read_record(id, tonumber(ARGV[3]))
if not record[1] or not record[13] then return record[2] end
local key = key_of(id)
local once = redis.call('HGET', key, 'once')
if once then redis.call('DEL', once) end
redis.call('DEL', key)
redis.call('ZREM', owned_by(record[5]), raw)
redis.call('ZADD', FILES, now_text, id)
return record[2]
