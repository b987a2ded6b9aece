-- Records that the files of a batch have been removed.
-- @include queues/common batches/batch
-- @args id
-- @returns nothing

redis.call('ZREM', FILES, id)
