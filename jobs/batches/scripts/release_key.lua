-- Releases a reserved Idempotency-Key, because its request was not accepted.
-- @include queues/job
-- @args owner idempotency id
-- @returns nothing

local key = idempotency_key(owner, idempotency)
if redis.call('GET', key) == CREATING .. id then redis.call('DEL', key) end
