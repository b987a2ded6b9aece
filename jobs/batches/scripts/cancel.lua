-- Cancels a batch. Its waiting tasks stay in the queue until a consumer claims and drops them. Returns its status
-- afterwards, nil for an unknown id.
-- @include batches/batch
-- @args id retention_ms:number
-- @returns status

expire_overdue(id, retention_ms)
local status = redis.call('HGET', job_key(id), 'status')
if status == 'validating' or status == 'queued' or status == 'finalizing' then
  end_batch(id, 'canceled', retention_ms, '')
elseif status == 'running' then
  set_status(id, 'canceling')
  advance(id)
end
commit()
return redis.call('HGET', job_key(id), 'status')
