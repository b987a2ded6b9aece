-- The record and the queue entry of a prediction. jobs/predictions/status.py has the table of its statuses.
--
--   job:<id>   hash  v status model sha owner inputs position attempt started finished expires outputs error metadata
--                    watchers deadline idempotency webhook retry_of; queue (unless it is QUEUE); rows (unless it is one); reason (why its
--                    last worker released it); of a list on its last attempt: trying (the row that is being scored), lost
--                    (the rows that are given up)
--   queue:<name>        its entries are numbered by position: how many rows were added before, plus one
--   queue:<name>:added  string  how many rows were ever added
--   rate:<owner>:<minute>  string  how many rows the owner has posted in this minute, where that is limited

local KIND = 'predictions'
local QUEUE = 'predictions'  -- the queue of a prediction whose record names none
local FINISHED = 8  -- the index of `finished` in what read_record returns

local function id_of(raw) return id_from('pred_', raw) end
local function added_key(queue) return 'queue:' .. queue .. ':added' end
local function entry_of(position) return position .. '-0' end

local function end_prediction(id, job, status, retention_ms, outputs, error)
  local spent = status == 'failed' and 'position' or 'inputs'  -- a job that failed may be tried again
  end_job(KIND, job.queue or QUEUE, id, job, status, retention_ms, outputs, error,
          'position', 'reason', 'trying', 'lost', spent)
end

-- Removes the entry of a queued job from its queue. An entry in the retry stream stays until a consumer claims and drops it.
local function remove_entry(id)
  local queue, position = unpack(redis.call('HMGET', job_key(id), 'queue', 'position'))
  if not position then return end
  queue = queue or QUEUE
  local found = redis.call('XRANGE', stream_key(queue), entry_of(position), entry_of(position))[1]
  if found then
    acknowledge(stream_key(queue), found[1])
    count_rows(queue, -found[2][4])
  end
end

-- A job that was started has met its deadline, even if its worker was lost later.
local function is_overdue(status, deadline, attempt)
  return status == 'queued' and deadline and not attempt and tonumber(deadline) <= now
end

-- Ends an overdue job whose entry is gone, or is about to be removed by the caller.
local function end_overdue(id, retention_ms)
  end_prediction(id, read_job(id), 'expired', retention_ms, '', DEADLINE_PASSED)
end

local function expire(id, retention_ms)
  remove_entry(id)
  end_overdue(id, retention_ms)
end

local rows_gone = {}  -- queue -> rows that have left it
local function position_in(queue, position)
  if not rows_gone[queue] then
    local rows = math.max(tonumber(redis.call('GET', rows_key(queue)) or 0), 0)
    rows_gone[queue] = (redis.call('GET', added_key(queue)) or 0) - rows
  end
  return whole(math.max(position - rows_gone[queue], 1))
end

local FIELDS = {'v', 'status', 'model', 'sha', 'owner', 'attempt', 'started', 'finished', 'expires', 'outputs', 'error',
                'metadata', 'deadline', 'position', 'queue', 'rows', 'retry_of'}

-- FIELDS of a record, as decode_record() in jobs/predictions/store.py takes them; all are nil for an unknown id.
local function read_record(id, retention_ms)
  local record = redis.call('HMGET', job_key(id), unpack(FIELDS))
  if is_overdue(record[2], record[13], record[6]) then
    expire(id, retention_ms)
    record = redis.call('HMGET', job_key(id), unpack(FIELDS))
  end
  record[14] = record[2] == 'queued' and position_in(record[15] or QUEUE, record[14] or 0)
  return record
end
