-- Records an upload, and returns 0. If its owner has as many unused ones as it may have, records nothing and returns in how many
-- milliseconds one of them expires. `most` of 0 is no limit. Adding an upload again changes nothing.
-- @include queues/common batches/uploads
-- @args id owner record lasts_ms:number most:number
-- @returns wait_ms

if redis.call('EXISTS', upload_key(id)) == 1 then return 0 end
local unused = uploads_key(owner)
drop_lapsed(unused, lasts_ms)
if most > 0 and redis.call('ZCARD', unused) >= most then
  return math.max(tonumber(redis.call('ZRANGE', unused, 0, 0, 'WITHSCORES')[2]) - now, 1)
end
redis.call('ZADD', unused, whole(now + lasts_ms), id)
redis.call('PEXPIRE', unused, lasts_ms)
redis.call('SET', upload_key(id), record, 'PX', lasts_ms)
return 0
