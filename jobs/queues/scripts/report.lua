-- Notes that a web process or a consumer is alive, and forgets those that did not report for ALIVE_MS. `set` is the sorted set
-- of its like; `report` is its report.
-- @include queues/common
-- @args set name report
-- @returns nothing

redis.call('ZADD', set, whole(now + ALIVE_MS), name)
redis.call('HSET', PROCESSES, process_field(set, name), report)
for _, dead in ipairs(drop_lapsed(set, ALIVE_MS)) do redis.call('HDEL', PROCESSES, process_field(set, dead)) end
