-- A bell has been answered. ARGV: bell.
redis.call('ZREM', BELLS, ARGV[1])
