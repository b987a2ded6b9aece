-- Removes the record of an upload.
-- @include queues/common batches/uploads
-- @args id owner
-- @returns nothing

redis.call('ZREM', uploads_key(owner), id)
redis.call('DEL', upload_key(id))
