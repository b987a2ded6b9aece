-- Returns a task to the queue at once, because its consumer stops. This does not count as a try. A task of a batch that has
-- ended is dropped.
-- @include queues/common batches/batch
-- @args entry id task
-- @returns nothing

if not remove_claimed(QUEUE, entry) then return end
local status, finished = unpack(redis.call('HMGET', job_key(id), 'status', 'finished'))
if not status or finished then return end
redis.call('HINCRBY', job_key(id) .. ':tries', task, -1)
redis.call('HDEL', job_key(id) .. ':lost_slices', task .. ' trying')
add_task(id, task)
