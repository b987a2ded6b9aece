-- Returns the record of an upload, and when it expires, in milliseconds since 1970; nothing if there is none.
-- @include queues/common batches/uploads
-- @args id
-- @returns record expires

local record = redis.call('GET', upload_key(id))
if not record then return false end
return {record, whole(now + redis.call('PTTL', upload_key(id)))}
