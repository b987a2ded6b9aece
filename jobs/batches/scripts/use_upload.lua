-- Notes that a batch has the file of an upload: it no longer counts as unused. Its record stays for so long, for requests that are
-- sent again.
-- @include batches/uploads
-- @args id owner lasts_ms
-- @returns nothing

redis.call('ZREM', uploads_key(owner), id)
redis.call('PEXPIRE', upload_key(id), lasts_ms)
