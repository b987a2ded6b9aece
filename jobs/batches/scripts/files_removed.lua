-- Records that the files of a batch have been removed.
-- @include queues/common batches/batch
-- @args id
-- @returns nothing

redis.call('ZREM', FILES, id)
for _, source in ipairs(redis.call('SMEMBERS', reads_key(id))) do redis.call('SREM', readers_key(source), id) end
redis.call('DEL', reads_key(id))
