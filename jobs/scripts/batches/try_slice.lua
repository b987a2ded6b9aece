-- Notes which slice of a chunk is under trial. ARGV: entry, id, chunk, slice (empty: none any more).
local entry, id, chunk, slice = unpack(ARGV)
local key = key_of(id)
if #redis.call('XPENDING', LINE, GROUP, entry, entry, 1) == 0 then return end
if redis.call('HGET', key, 'status') ~= 'running' then return end
if slice == '' then
  redis.call('HDEL', key .. ':trials', chunk .. ' trying')
else
  redis.call('HSET', key .. ':trials', chunk .. ' trying', slice)
end
