-- Notes which row of a list is under way: if its worker is lost, that row is given up.
-- @include queues/common
-- @args id attempt row
-- @returns nothing

local status, current = unpack(redis.call('HMGET', job_key(id), 'status', 'attempt'))
if status == 'running' and current == attempt then redis.call('HSET', job_key(id), 'trying', row) end
