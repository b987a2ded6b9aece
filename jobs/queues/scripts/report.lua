-- Notes that a web process or a consumer is alive for `expires_ms`, and forgets those whose time is over. `set` is the sorted
-- set of its like; `report` is its report.
-- @include queues/common
-- @args set name expires_ms:number report
-- @returns nothing

redis.call('ZADD', set, whole(now + expires_ms), name)
redis.call('HSET', PROCESSES, process_field(set, name), report)
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', set, '-inf', now_text)) do
  redis.call('ZREM', set, dead)
  redis.call('HDEL', PROCESSES, process_field(set, dead))
end
