-- All chunks of a batch; and those that are done, with the rows and failed rows of each, by turns. Nil if the batch has
-- ended. ARGV: id.
local key = key_of(ARGV[1])
local record = redis.call('HMGET', key, 'status', 'finished')
if not record[1] or record[2] then return false end
return {redis.call('LRANGE', key .. ':plan', 0, -1), redis.call('HGETALL', key .. ':done')}
