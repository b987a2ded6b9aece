-- Records that the corrected rows of a retry are sorted by chunk: its chunks can be scored. Returns 1 if that was recorded, and
-- the wake-ups to send.
-- @include queues/wake_ups batches/batch
-- @args entry id wake_up_name most_wake_ups:number
-- @returns recorded wake_ups

if not remove_claimed(QUEUE, entry) then return {0, noted_before(QUEUE, wake_up_name, most_wake_ups)} end
if not is_wanted(id, 'correct', redis.call('HGET', job_key(id), 'status')) then return {0, {}} end
set_status(id, 'queued')
advance(id)
return {1, wake_up(QUEUE, wake_up_name, most_wake_ups)}
