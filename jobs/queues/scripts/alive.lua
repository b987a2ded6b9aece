-- Notes that a web process or a consumer is alive for `lapses_ms`, and forgets those whose time is over. `set` is the sorted
-- set of its like; `says` is its report.
-- @include queues/common
-- @args set name lapses_ms:number says
-- @returns nothing

redis.call('ZADD', set, whole(now + lapses_ms), name)
redis.call('HSET', PROCESSES, process_field(set, name), says)
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', set, '-inf', now_text)) do
  redis.call('ZREM', set, dead)
  redis.call('HDEL', PROCESSES, process_field(set, dead))
end
