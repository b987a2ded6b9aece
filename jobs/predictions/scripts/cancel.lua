-- Cancels a prediction that is queued. Returns its status afterwards, nil for an unknown id.
-- @include predictions/prediction
-- @args id retention_ms:number
-- @returns status

local job = read_job(id)
if job.status ~= 'queued' then return job.status end
if is_overdue(job.status, job.deadline, job.attempt) then
  expire(id, retention_ms)
else
  remove_entry(id)
  end_prediction(id, job, 'canceled', retention_ms, '', '')
end
commit()
return redis.call('HGET', job_key(id), 'status')
