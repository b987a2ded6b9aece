-- Leaves a task to the consumer that claims it once its lease is over. The claim is not counted; how often and for how long the
-- task was put off for this reason is. Returns both, the time in ms; or zeros if another consumer has the task by now.
-- @include batches/batch
-- @args entry id task reason
-- @returns times waited_ms

-- What counts of the time between two tries: in a longer one no worker has tried, or the clock was set.
local LONGEST_PAUSE_MS = 60000

local tries, named = job_key(id) .. ':tries', task .. ' ' .. reason
if #redis.call('XPENDING', stream_key(QUEUE), GROUP, entry, entry, 1) == 0 then return {0, 0} end
if redis.call('HEXISTS', job_key(id), 'finished') == 1 then return {0, 0} end
uncount_claim(id, task)
redis.call('XCLAIM', stream_key(QUEUE), GROUP, 'later', 0, entry, 'JUSTID')
local pause = now - (redis.call('HGET', tries, named .. ' last') or now)
redis.call('HSET', tries, named .. ' last', now_text)
pause = math.min(math.max(pause, 0), LONGEST_PAUSE_MS)
return {redis.call('HINCRBY', tries, named, 1), redis.call('HINCRBY', tries, named .. ' waited', pause)}
