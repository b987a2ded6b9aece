-- Notes which slice of a chunk is being scored (empty: none), in case its worker is lost.
-- @include batches/batch
-- @args entry id chunk slice
-- @returns nothing

local noted, trying = job_key(id) .. ':lost_slices', chunk .. ' trying'
if #redis.call('XPENDING', stream_key(QUEUE), GROUP, entry, entry, 1) == 0 then return end
if redis.call('HGET', job_key(id), 'status') ~= 'running' then return end
if slice == '' then redis.call('HDEL', noted, trying) else redis.call('HSET', noted, trying, slice) end
