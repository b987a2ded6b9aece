-- Requeues tasks that were claimed longer ago than the lease, gives up those without attempts left, ends batches whose
-- deadline has passed, and returns up to `most_wake_ups` wake-ups to send. `error` is the error, as JSON, of what is given
-- up; `unreadable` are the entries that could not be read since the last sweep. `removable` are the batches whose files are to be removed. Does nothing if another worker has just swept.
-- @include queues/wake_ups queues/sweeps batches/batch
-- @args queue lease_ms attempts:number retention_ms:number error wake_up_name most_wake_ups:number
-- @returns requeued given_up unreadable wake_ups removable

if not may_sweep(queue) then return {0, 0, 0, noted_before(queue, wake_up_name, most_wake_ups), {}} end

local MOST = 100
local READ_LATER_MS = 60000  -- after which files that a retry reads are looked at again
local requeued, given_up = 0, 0

-- A chunk is tried once more after its last attempt: then its rows are given up without being scored.
local function most_attempts(task) return tonumber(task) and attempts + 1 or attempts end

local function requeue(_, entry, fields)
  local id, task = fields[2], fields[6]
  local key = job_key(id)
  acknowledge(stream_key(queue), entry)
  local status, finished = unpack(redis.call('HMGET', key, 'status', 'finished'))
  if not status or finished then return end
  if not tonumber(task) and not is_wanted(id, task, status) then return end
  if redis.call('HGET', key .. ':tries', task .. ' entry') ~= entry then count_rows(queue, -1) end  -- read, not claimed
  if tonumber(redis.call('HGET', key .. ':tries', task) or 0) >= most_attempts(task) then
    if tonumber(task) then fail_chunk(id, task, error, false) else fail_task(id, task, status, retention_ms, error) end
    given_up = given_up + 1
    count('swept|' .. queue .. '|given_up')
  else
    add_task(id, task)
    requeued = requeued + 1
    count('swept|' .. queue .. '|requeued')
  end
end

count('sweeps|' .. queue)
sweep_deadlines(queue, MOST, function(id) expire_overdue(id, retention_ms) end)
sweep_stream(stream_key(queue), lease_ms, MOST, guarded(queue, requeue, function(id) give_up(id, retention_ms) end))
take_turns(queue, 1, 1, true)  -- in case all entries before them were removed
commit()
local removable = {}
for _, expired in ipairs(redis.call('ZRANGEBYSCORE', FILES, '-inf', now_text, 'LIMIT', 0, MOST)) do
  if redis.call('EXISTS', readers_key(string.match(expired, '^%S*'))) == 1 then
    redis.call('ZADD', FILES, whole(now + READ_LATER_MS), expired)
  else
    removable[#removable + 1] = expired
  end
end
return {requeued, given_up, take_unreadable(queue), wake_up(queue, wake_up_name, most_wake_ups), removable}
