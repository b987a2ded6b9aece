-- Records that a chunk cannot be scored. `error` is JSON; with `last`, no further chunk is added to the queue. Returns the
-- wake-ups to send.
-- @include queues/wake_ups batches/batch
-- @args entry id chunk error last wake_up_name most_wake_ups:number
-- @returns wake_ups

if not remove_claimed(QUEUE, entry) then return noted_before(QUEUE, wake_up_name, most_wake_ups) end
fail_chunk(id, chunk, error, last ~= '')
commit()
return wake_up(QUEUE, wake_up_name, most_wake_ups)
