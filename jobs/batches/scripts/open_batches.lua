-- How many batches have not ended, and how many of their chunks are planned and not in the queue yet.
-- @include batches/batch
-- @args
-- @returns open unqueued

return {redis.call('SCARD', OPEN), math.max(whole_in(redis.call('GET', UNQUEUED)) or 0, 0)}
