-- The record and the queue entry of a prediction. jobs/predictions/status.py has the table of its statuses.
--
--   job:<id>   hash  v status model sha owner inputs position or behind attempt started finished expires outputs error
--                    metadata watchers deadline idempotency webhook retry_of traceparent; queue (unless it is QUEUE); rows (unless it is one); reason
--                    (why its last worker released it); of a list on its last attempt: trying (the row that is being
--                    scored; empty after a worker that stopped), lost (the rows that are given up)
--   queue:<name>        an entry may carry its row: model sha inputs traceparent. Whoever has read such an entry may score it at
--                       once, and the job is started as it is recorded. Its entries are numbered by position: how many rows were
--                       added before, plus one; those that have waited behind have the position of the last that was added, and a
--                       number after it. The record of a job that has waited behind has its number in the stream of its owner
--                       instead (behind)
--   queue:<name>:added  string  how many rows were ever added
--
-- @include queues/job queues/turns

local KIND = 'predictions'
local QUEUE = 'predictions'  -- the queue of a prediction whose record names none
local FINISHED = 8  -- the index of `finished` in what read_current returns

local function id_of(raw) return id_from('pred_', raw) end
local function entry_of(position) return position .. '-0' end

local function carry_row(fields, job)
  local carried = {'model', job.model, 'sha', job.sha, 'inputs', job.inputs, 'traceparent', job.traceparent}
  for at = 1, #carried do fields[#fields + 1] = carried[at] end
end

local function has_row(fields) return fields[5] == 'model' end

-- Starts a job whose consumer has read its row with the entry, `held_ms` ago. Returns whether it was to be started: it may have
-- been canceled or requeued since.
local function start_read(id, job, held_ms)
  if job.status ~= 'queued' or job.attempt then return false end
  job.status, job.attempt, job.started = 'running', '1', whole(now - held_ms)
  set_status(id, 'running', 'started', job.started, 'attempt', job.attempt)
  count('attempts|' .. QUEUE .. '|1')
  return true
end

local function end_prediction(id, job, status, retention_ms, outputs, error)
  local spent = status == 'failed' and 'position' or 'inputs'  -- a job that failed may be tried again
  end_job(KIND, job.queue or QUEUE, id, job, status, retention_ms, outputs, error,
          'position', 'behind', 'reason', 'trying', 'lost', spent)
end

-- Ends a prediction whose record could not be read; raises an error if it cannot even be ended.
local function give_up(id, retention_ms)
  local job = read_job(id)
  if job.status == 'queued' then set_status(id, 'running') end
  if not is_final(id) then end_prediction(id, job, 'failed', retention_ms, '', UNREADABLE) end
end

-- Removes the entry of a queued job from its queue. An entry in the retry stream, one that comes first, or one that has waited
-- behind and had its turn, stays until a consumer claims and drops it.
local function remove_entry(id)
  local queue, position, behind, owner = unpack(redis.call('HMGET', job_key(id), 'queue', 'position', 'behind', 'owner'))
  if not position and not behind then return end
  queue = queue or QUEUE
  local stream, entry = stream_key(queue), entry_of(position or behind)
  if behind then stream = key_of(queue, 'of:' .. owner) end
  local found = redis.call('XRANGE', stream, entry, entry)[1]
  if not found or found[2][2] ~= id then return end  -- numbers begin anew in an owner's stream that was empty
  if behind then remove_behind(queue, owner, {entry}) else acknowledge(stream, entry) end
  count_rows(queue, -rows_in(found[2]))
end

-- A job that was started has met its deadline, even if its worker was lost later.
local function is_overdue(status, deadline, attempt)
  return status == 'queued' and deadline and not attempt and (tonumber(deadline) or math.huge) <= now
end

-- Ends an overdue job whose entry is gone, or is about to be removed by the caller.
local function end_overdue(id, retention_ms)
  end_prediction(id, read_job(id), 'expired', retention_ms, '', DEADLINE_PASSED)
end

local function expire(id, retention_ms)
  remove_entry(id)
  end_overdue(id, retention_ms)
end

-- The position of a queued job, counted in rows from 1; 1 if its record does not say where it is. Where jobs wait in turns it is
-- an estimate.
local function position_in(queue, owner, position, behind)
  position, behind = whole_in(position) or 0, behind and whole_in(behind)
  local state = state_of(queue)
  if behind then
    local first = behind_of(queue, owner).first
    if not first or behind - first < 0 then return '1' end
    return whole(math.min(rows_before(queue, behind - first) + 1, state.rows))
  end
  local ahead = state.behind > 0 and state.window or state.rows
  return whole(math.max(position - ((state.added or 0) - ahead), 1))
end

local FIELDS = {'v', 'status', 'model', 'sha', 'owner', 'attempt', 'started', 'finished', 'expires', 'outputs', 'error',
                'metadata', 'deadline', 'position', 'queue', 'rows', 'retry_of', 'behind'}

-- FIELDS of a record, as decode_record() in jobs/predictions/store.py takes them; all are nil for an unknown id.
-- One that is overdue ends first.
local function read_current(id, retention_ms)
  local record = redis.call('HMGET', job_key(id), unpack(FIELDS))
  if is_overdue(record[2], record[13], record[6]) then
    expire(id, retention_ms)
    record = redis.call('HMGET', job_key(id), unpack(FIELDS))
  end
  record[14] = record[2] == 'queued' and position_in(record[15] or QUEUE, record[5], record[14], record[18])
  record[18] = nil
  return record
end

-- Makes the function that starts what is claimed, and returns it as predictions/claim.lua says.
local function starting(queue, retention_ms)
  local function start(stream, found, fields)
    local id = fields[2]
    local status, model, sha, inputs, attempt, lost, reason, deadline, trace = unpack(redis.call(
      'HMGET', job_key(id), 'status', 'model', 'sha', 'inputs', 'attempt', 'lost', 'reason', 'deadline',
      'traceparent'))
    local overdue = is_overdue(status, deadline, attempt)
    if overdue then end_overdue(id, retention_ms) end
    if overdue or status ~= 'queued' then
      acknowledge(stream, found)
      return nil
    end
    local next_attempt = whole((attempt or 0) + 1)
    set_status(id, 'running', 'started', now_text, 'attempt', next_attempt)
    count('attempts|' .. queue .. '|' .. next_attempt)
    if reason then redis.call('HDEL', job_key(id), 'reason') end
    return {stream, found, id, next_attempt, model, sha, inputs, lost or '', trace or ''}
  end

  return guarded(queue, start, function(id) give_up(id, retention_ms) end)
end
