-- A child of a worker lives. ARGV: child, for how many ms that holds (0: it is gone).
if ARGV[2] == '0' then
  redis.call('ZREM', CHILDREN, ARGV[1])
else
  redis.call('ZADD', CHILDREN, whole(now + tonumber(ARGV[2])), ARGV[1])
end
redis.call('ZREMRANGEBYSCORE', CHILDREN, '-inf', whole(now))
