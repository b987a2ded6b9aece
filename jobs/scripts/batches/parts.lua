-- The chunks of a batch that are done, and the rows and failed rows of each, by turns. ARGV: id.
return redis.call('HGETALL', key_of(ARGV[1]) .. ':done')
