-- The files of a batch have been removed. ARGV: id.
redis.call('ZREM', FILES, ARGV[1])
