-- Reads the plan of a batch that has ended, and what is recorded of its chunks: it alternates their numbers and records. Both
-- are empty if the batch cannot be tried again.
-- @include queues/common
-- @args id
-- @returns plan done

local key = job_key(id)
return {redis.call('LRANGE', key .. ':plan', 0, -1), redis.call('HGETALL', key .. ':done')}
