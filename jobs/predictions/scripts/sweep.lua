-- Requeues predictions that were claimed longer ago than the lease, gives up those without attempts left, ends those whose
-- deadline has passed, and returns up to `most_wake_ups` wake-ups to send. `error` is the error, as JSON, of a job that is
-- given up; `unreadable` are the entries that could not be read since the last sweep. Does nothing if another worker has just swept.
-- @include queues/wake_ups queues/sweeps predictions/prediction
-- @args queue lease_ms attempts:number retention_ms:number error wake_up_name most_wake_ups:number
-- @returns requeued given_up unreadable wake_ups

if not may_sweep(queue) then return {0, 0, 0, noted_before(queue, wake_up_name, most_wake_ups)} end

local MOST = 1000  -- entries of each stream; the next sweep takes the others
local requeued, given_up = 0, 0

local function requeue(stream, entry, fields)
  local id = fields[2]
  local job = read_job(id)
  if has_row(fields) and start_read(id, job, 0) then count_rows(queue, -1) end
  local reason, trying, lost = unpack(redis.call('HMGET', job_key(id), 'reason', 'trying', 'lost'))
  -- On its last attempt a list is scored row by row: the row that was being scored is given up, and the list is requeued.
  if trying then
    redis.call('HSET', job_key(id), 'lost', lost and lost .. ' ' .. trying or trying)
    redis.call('HDEL', job_key(id), 'trying')
  end
  if job.status == 'running' and tonumber(job.attempt) >= attempts and not trying then
    end_prediction(id, job, 'failed', retention_ms, '', reason or error)
    given_up = given_up + 1
    count('swept|' .. queue .. '|given_up')
  elseif job.status == 'running' or job.status == 'queued' then
    if job.status == 'running' then count_rows(queue, rows_in(fields)) end
    set_status(id, 'queued')
    redis.call('HDEL', job_key(id), 'started', 'position', 'behind')
    redis.call('XADD', retry_key(queue), '*', unpack(fields, 1, 4))
    requeued = requeued + 1
    count('swept|' .. queue .. '|requeued')
  end
  acknowledge(stream, entry)
end

count('sweeps|' .. queue)
sweep_deadlines(queue, MOST, function(id)
  local status, deadline, attempt = unpack(redis.call('HMGET', job_key(id), 'status', 'deadline', 'attempt'))
  if is_overdue(status, deadline, attempt) then expire(id, retention_ms) end
end)
local guarded_requeue = guarded(queue, requeue, function(id) give_up(id, retention_ms) end)
for _, stream in ipairs(streams_of(queue)) do
  sweep_stream(stream, lease_ms, MOST, guarded_requeue)
end
take_turns(queue, 1, 1, true)  -- in case all entries before them were canceled
commit()
return {requeued, given_up, take_unreadable(queue), wake_up(queue, wake_up_name, most_wake_ups)}
