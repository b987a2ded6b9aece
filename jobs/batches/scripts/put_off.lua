-- Leaves a task to the consumer that claims it once its lease is over. The claim is not counted; how often and since when the
-- task was put off for this reason is. Returns both, the time in ms; or zeros if another consumer has the task by now.
-- @include batches/batch
-- @args entry id task reason
-- @returns times since_ms

local tries, named = job_key(id) .. ':tries', task .. ' ' .. reason
if #redis.call('XPENDING', stream_key(QUEUE), GROUP, entry, entry, 1) == 0 then return {0, 0} end
if redis.call('HEXISTS', job_key(id), 'finished') == 1 then return {0, 0} end
uncount_claim(id, task)
redis.call('XCLAIM', stream_key(QUEUE), GROUP, 'later', 0, entry, 'JUSTID')
redis.call('HSETNX', tries, named .. ' since', now_text)
return {redis.call('HINCRBY', tries, named, 1), math.max(now - redis.call('HGET', tries, named .. ' since'), 0)}
