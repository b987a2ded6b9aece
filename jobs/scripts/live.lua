-- A child of a worker lives. ARGV: child, for how many ms that holds, what it says of itself.
redis.call('ZADD', CHILDREN, whole(now + tonumber(ARGV[2])), ARGV[1])
redis.call('HSET', PACES, ARGV[1], ARGV[3])
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', CHILDREN, '-inf', now_text)) do
  redis.call('ZREM', CHILDREN, dead)
  redis.call('HDEL', PACES, dead)
end
