-- Records that the files of a batch have been removed; its record is gone too. `expired` is how the sweep named the batch,
-- `raw` the 16 bytes of its id. If the sweep named no batch, `raw` is empty.
-- @include batches/batch
-- @args expired owner raw
-- @returns nothing

redis.call('ZREM', FILES, expired)
if raw ~= '' then redis.call('ZREM', list_key(KIND, owner), raw) end
local id = string.match(expired, '^%S*')
for _, source in ipairs(redis.call('SMEMBERS', reads_key(id))) do
  redis.call('SREM', readers_key(source), id)
  if redis.call('EXISTS', job_key(source)) == 0 then  -- its files waited for this
    redis.call('ZADD', FILES, 'XX', 'LT', now_text, source .. ' ' .. owner)
  end
end
redis.call('DEL', reads_key(id))
