-- Starts the lease of a task anew, while its consumer works on it. `beside` names another queue. Returns the status of the
-- batch (nil if another consumer has the task by now), and how many consumers of the other queue are at work.
-- @include queues/wake_ups
-- @args queue consumer wake_up_name entry id beside
-- @returns status busy_beside

if #redis.call('XPENDING', stream_key(queue), GROUP, entry, entry, 1, consumer) == 0 then return {false, 0} end
redis.call('XCLAIM', stream_key(queue), GROUP, consumer, 0, entry, 'JUSTID')
redis.call('ZADD', wake_ups_key(queue), whole(now + WAKE_UP_EXPIRES_MS), wake_up_name)
return {redis.call('HGET', job_key(id), 'status'), count_live(wake_ups_key(beside), WAKE_UP_EXPIRES_MS)}
