-- A child of a worker lives. ARGV: child, for how many ms that holds.
redis.call('ZADD', CHILDREN, whole(now + tonumber(ARGV[2])), ARGV[1])
redis.call('ZREMRANGEBYSCORE', CHILDREN, '-inf', now_text)
