-- A process lives. ARGV: set of those like it, its name, for how many ms that holds, what it says of itself.
redis.call('ZADD', ARGV[1], whole(now + tonumber(ARGV[3])), ARGV[2])
redis.call('HSET', PROCESSES, ARGV[2], ARGV[4])
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', ARGV[1], '-inf', now_text)) do
  redis.call('ZREM', ARGV[1], dead)
  redis.call('HDEL', PROCESSES, dead)
end
