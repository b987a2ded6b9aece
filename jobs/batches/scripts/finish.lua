-- Ends a batch with this status; with 'canceled' if it is being canceled, and with 'failed' if one of its chunks could not
-- be scored. `error` is JSON, empty for none. A plan that fails while chunks are being scored ends the batch later. All is
-- nil if the batch has not ended, if the task was no longer wanted, or if another consumer has it by now.
-- @include batches/batch
-- @args entry id task status retention_ms:number error
-- @returns status owner rows failed started finished traceparent

if not remove_claimed(QUEUE, entry) then return false end
local key = job_key(id)
local current, known_error = unpack(redis.call('HMGET', key, 'status', 'error'))
if not is_wanted(id, task, current) then return false end
if current == 'canceling' then
  end_batch(id, 'canceled', retention_ms, '')
elseif status == 'failed' then
  fail_task(id, task, current, retention_ms, known_error or error)
else
  end_batch(id, known_error and 'failed' or status, retention_ms, known_error or error)
end
commit()
local ended = redis.call('HMGET', key, 'status', 'owner', 'rows', 'failed', 'started', 'finished', 'traceparent')
return ended[6] and ended
