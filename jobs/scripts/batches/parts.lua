-- The chunks of a batch that are done, and the rows and failed rows of each, by turns; nil if the batch has ended.
-- ARGV: id.
local record = redis.call('HMGET', key_of(ARGV[1]), 'status', 'finished')
if not record[1] or record[2] then return false end
return redis.call('HGETALL', key_of(ARGV[1]) .. ':done')
