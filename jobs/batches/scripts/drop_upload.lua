-- Removes the record of an upload.
-- @include batches/uploads
-- @args id owner
-- @returns nothing

redis.call('ZREM', uploads_key(owner), id)
redis.call('DEL', upload_key(id))
