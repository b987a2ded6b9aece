-- How batches stand. Returns {batches that are open, chunks that wait, chunks that are claimed, ms for which the chunk
-- has waited that is next, children that live and what each says of itself, by turns}. To plan a batch, and to join its
-- parts, count as a chunk each.
local claimed, upcoming = standing(LINE)
local waiting = redis.call('XLEN', LINE) - claimed + math.max(redis.call('GET', LATER) or 0, 0)
local waited = upcoming and math.max(now - string.match(upcoming[1], '^%d+'), 0) or 0
return {redis.call('SCARD', OPEN), waiting, claimed, waited, alive(CHILDREN)}
