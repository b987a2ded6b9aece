-- A process or a consumer is alive. `set` is the sorted set of those like it; the note lapses after `lapses_ms`; `says` is
-- what it says of itself.
-- @include queues/common
-- @args set name lapses_ms:number says
-- @returns nothing

redis.call('ZADD', set, whole(now + lapses_ms), name)
redis.call('HSET', PROCESSES, process_field(set, name), says)
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', set, '-inf', now_text)) do
  redis.call('ZREM', set, dead)
  redis.call('HDEL', PROCESSES, process_field(set, dead))
end
