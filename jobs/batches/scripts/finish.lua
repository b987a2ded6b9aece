-- Ends a batch with this status; with 'canceled' if it is being canceled, and with 'failed' if one of its chunks could not
-- be scored. `error` is JSON, empty for none. Returns the final status; nil if the task was no longer wanted, or if another
-- consumer has it by now.
-- @include queues/common batches/batch
-- @args entry id task status retention_ms:number error
-- @returns status

if not remove_claimed(QUEUE, entry) then return false end
local current, chunk_error = unpack(redis.call('HMGET', job_key(id), 'status', 'error'))
local ended = false
if is_wanted(id, task, current) then
  if current == 'canceling' then
    ended, error = 'canceled', ''
  elseif chunk_error then
    ended, error = 'failed', chunk_error
  else
    ended = status
  end
  end_batch(id, ended, retention_ms, error)
end
commit()
return ended
