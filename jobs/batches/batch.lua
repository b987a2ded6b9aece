-- The record of a batch, its tasks, and what moves it from status to status. jobs/batches/status.py has the table of its
-- statuses. A task is what a consumer claims: 'plan', 'preview' (of a dry run), 'correct' (of a retry with corrected rows: to
-- sort these by chunk), the number of a chunk to score, or 'join'.
--
-- Planning and joining proceed from checkpoint to checkpoint. Each has the position from which to go on, in
-- whatever process that is; chunks are scored while later ones are being planned.
--
--   job:<id>          hash    v status model sha owner options size metadata deadline idempotency watchers webhook retry_of traceparent;
--                             from the first checkpoint of the plan on layout chunks total next planned (bytes); planning (the
--                             position, until the plan is complete; CUT_SHORT if it never will be); joining (the position);
--                             rows failed bytes (of the chunks that are done); started finished expires error; hidden (of a
--                             dry run, which is in no list)
--   job:<id>:plan     list    its chunks, in order
--   job:<id>:done     hash    of each chunk that is done: its rows, its failed rows, the bytes of its part of the results and
--                             of the errors, the rows that planning counted, and the bytes of the input
--   job:<id>:in_queue  set    chunks that are in the queue or claimed
--   job:<id>:tries    hash    how many consumers were lost with each task, and the one that has it, since its last checkpoint; not
--                             those after whom a slice of a chunk was found under trial; '<task> entry': the entry that was
--                             claimed last; '<task> <reason>', and with ' last' and ' waited' behind it: how often the task
--                             was put off for this reason, when it was last, and how long in all; '<task> redone': how
--                             often its part was found damaged
--   job:<id>:lost_slices  hash  of each chunk that consumers were lost with: the slices of rows that they had noted;
--                             and, as '<chunk> trying', the slice that is under trial
--   job:<id>:kept     hash    of a retry: what is in `done` of the batch that it tries again
--   job:<id>:files    hash    of several files: what planning found of each, by its number; a chunk of such a batch begins with
--                             the number of its file and a slash, and `planning` with that of the file in which to go on
--   job:<id>:file_errors  hash  of each of them that could not be planned, or has chunks that could not be scored: why;
--                             failed_files is their number
--   job:<id>:joined   hash    of each of them that is joined: its results and errors
--   batches:readers:<id>  set  retries that read the files of this batch, which stay as long as theirs
--   batches:reads:<id>  set   the batches whose files this retry reads
--   batches:open      set     batches that have not ended
--   batches:open:<owner>  zset  those of the owner, by the time when they were accepted
--   batches:unqueued  string  how many chunks are planned and not in the queue yet
--   batches:files     zset    '<id> <owner>' of each batch whose files are to be removed, by when
--
-- @include queues/job queues/claims

local KIND = 'batches'
local QUEUE = 'batches'
local TOTAL = 8  -- the index of `total` in what read_current returns
local FINISHED = 13  -- that of `finished`
local OPEN = 'batches:open'
local UNQUEUED = 'batches:unqueued'
local CUT_SHORT = 'cut short'
local FILES = 'batches:files'
local CAN_BE_RETRIED = {failed = true, partially_succeeded = true}

local function id_of(raw) return id_from('batch_', raw) end
local function readers_key(id) return 'batches:readers:' .. id end
local function reads_key(id) return 'batches:reads:' .. id end
-- At this time the sweeper removes the files of a batch, and its id from the list of its owner.
local function remove_files_at(time, id, owner) redis.call('ZADD', FILES, time, id .. ' ' .. owner) end

local function open_key(owner) return 'batches:open:' .. owner end

local function add_task(id, task)
  if is_behind(QUEUE) then
    local owner = redis.call('HGET', job_key(id), 'owner')
    put_behind(QUEUE, owner, behind_of(QUEUE, owner), id, 1, 'task', task)
  else
    redis.call('XADD', stream_key(QUEUE), '*', 'id', id, 'rows', 1, 'task', task)
  end
  count_rows(QUEUE, 1)
end

-- The caller has checked that the batch has not ended.
local function end_batch(id, status, retention_ms, error)
  local key = job_key(id)
  local owner, hidden, chunks, next_chunk = unpack(redis.call('HMGET', key, 'owner', 'hidden', 'chunks', 'next'))
  redis.call('DEL', key .. ':in_queue', key .. ':tries', key .. ':lost_slices', key .. ':kept', key .. ':file_errors',
             key .. ':joined')
  for _, list in ipairs({key .. ':plan', key .. ':done', key .. ':files'}) do
    if CAN_BE_RETRIED[status] then redis.call('PEXPIRE', list, retention_ms) else redis.call('DEL', list) end
  end
  redis.call('SREM', OPEN, id)
  redis.call('ZREM', open_key(owner), id)
  if chunks then redis.pcall('DECRBY', UNQUEUED, (whole_in(chunks) or 0) - (whole_in(next_chunk) or 0)) end
  if redis.call('HDEL', key, 'planning') == 1 then redis.call('HDEL', key, 'total') end  -- it is not known
  redis.call('HDEL', key, 'joining')
  if redis.call('SCARD', OPEN) == 0 then redis.call('DEL', UNQUEUED) end  -- corrects the count if it has drifted
  remove_files_at(whole(now + retention_ms), id, owner)
  end_job(hidden and 'previews' or KIND, QUEUE, id, read_job(id), status, retention_ms, NOT_INLINED, error)
end

-- Ends a batch whose record could not be read; raises an error if it cannot even be ended.
local function give_up(id, retention_ms)
  if not is_final(id) then end_batch(id, 'failed', retention_ms, UNREADABLE) end
end

-- Why one more batch of an owner is refused: {'over', the owner's batch that has been open longest} or {'full'}; false if it
-- is not refused.
local function refusal(owner, max_open, max_open_per_owner)
  local open = open_key(owner)
  if max_open_per_owner > 0 and redis.call('ZCARD', open) >= max_open_per_owner then
    return {'over', redis.call('ZRANGE', open, 0, 0)[1]}
  end
  return redis.call('SCARD', OPEN) >= max_open and {'full'}
end

-- Ends a batch that was not started by its deadline.
local function expire_overdue(id, retention_ms)
  local status, deadline = unpack(redis.call('HMGET', job_key(id), 'status', 'deadline'))
  if deadline and (tonumber(deadline) or math.huge) <= now and (status == 'validating' or status == 'queued') then
    end_batch(id, 'expired', retention_ms, DEADLINE_PASSED)
  end
end

-- How many chunks of one batch are in the queue at a time: enough for all consumers, few enough to let other batches in.
local function most_out()
  return math.max(2 * count_live(consumers_key(QUEUE), ALIVE_MS), 2)
end

-- Whether a task is still to be done: another consumer may have done it, or the batch may have moved on.
local function is_wanted(id, task, status)
  if task == 'preview' or task == 'correct' then return status == 'validating' end
  if task == 'plan' then
    if status == 'validating' then return true end
    local position = (status == 'queued' or status == 'running') and redis.call('HGET', job_key(id), 'planning')
    return position and position ~= CUT_SHORT
  end
  if task == 'join' then return status == 'finalizing' or status == 'canceling' end
  return (status == 'queued' or status == 'running') and redis.call('HEXISTS', job_key(id) .. ':done', task) == 0
end

-- Adds the next chunks of a batch to the end of the queue; after the last is done, the task to join the parts.
local function advance(id)
  local key = job_key(id)
  local status, next_chunk, chunks, planning = unpack(redis.call('HMGET', key, 'status', 'next', 'chunks', 'planning'))
  next_chunk, chunks = tonumber(next_chunk), tonumber(chunks)
  local out = redis.call('SCARD', key .. ':in_queue')
  if status == 'queued' or status == 'running' then
    local most, first = most_out(), next_chunk
    while next_chunk < chunks and out < most do
      add_task(id, next_chunk)
      redis.call('SADD', key .. ':in_queue', next_chunk)
      next_chunk, out = next_chunk + 1, out + 1
    end
    redis.call('HSET', key, 'next', next_chunk)
    redis.call('DECRBY', UNQUEUED, next_chunk - first)
    if out == 0 and (not planning or planning == CUT_SHORT) then
      set_status(id, 'finalizing')
      add_task(id, 'join')
    end
  elseif status == 'canceling' and out == 0 then
    add_task(id, 'join')
  end
end

-- No further chunk is planned or added to the queue.
local function cut_short(id)
  local key = job_key(id)
  local chunks, next_chunk, planning = unpack(redis.call('HMGET', key, 'chunks', 'next', 'planning'))
  redis.call('HSET', key, 'next', chunks)
  redis.call('DECRBY', UNQUEUED, chunks - next_chunk)
  if planning then redis.call('HSET', key, 'planning', CUT_SHORT) end
end

local function note_file_error(id, file, error)
  if redis.call('HSETNX', job_key(id) .. ':file_errors', file, error) == 1 then
    redis.call('HINCRBY', job_key(id), 'failed_files', 1)
  end
end

-- Notes what planning found of one of several files, as PlannedFile of jobs/batches/inputs.py writes it.
local function note_file(id, file, planned)
  redis.call('HSET', job_key(id) .. ':files', file, planned)
  local error = cjson.decode(planned)[7]
  if error ~= '' then note_file_error(id, file, error) end
end

-- Notes why a chunk cannot be scored: its batch fails or, where this has several files, its file.
local function note_error(id, chunk, error)
  local file = string.match(redis.call('LINDEX', job_key(id) .. ':plan', chunk) or '', '^(%d+)/')
  if file then note_file_error(id, file, error) else redis.call('HSETNX', job_key(id), 'error', error) end
end

-- A chunk cannot be scored: the batch will fail, and keeps what its other chunks give; where it has several files, one of them
-- fails. With `last`, no further chunk is added to the queue, and the batch fails in any case.
local function fail_chunk(id, chunk, error, last)
  local key = job_key(id)
  if redis.call('SREM', key .. ':in_queue', chunk) == 0 then return end
  if redis.call('HGET', key, 'status') == 'running' then
    if last then
      redis.call('HSETNX', key, 'error', error)
      cut_short(id)
    else
      note_error(id, chunk, error)
    end
  end
  advance(id)
end

-- The task to plan, to preview or to join cannot be done, and the batch fails; once chunks are being scored, it keeps what
-- those give. The caller has checked that the task is wanted.
local function fail_task(id, task, status, retention_ms, error)
  if task ~= 'plan' or status ~= 'running' then return end_batch(id, 'failed', retention_ms, error) end
  redis.call('HSETNX', job_key(id), 'error', error)
  cut_short(id)
  advance(id)
end

-- Forgets how often a task was tried, because it has reached a checkpoint.
local function forget_attempts(id, task)
  local names = {task}
  for _, reason in ipairs({'files_unavailable', 'model_unavailable', 'not_finished', 'out_of_memory'}) do
    for _, part in ipairs({'', ' last', ' waited'}) do names[#names + 1] = task .. ' ' .. reason .. part end
  end
  redis.call('HDEL', job_key(id) .. ':tries', unpack(names))
end

-- The worker that has claimed a task lives: its claim is not counted.
local function uncount_claim(id, task)
  local tries = job_key(id) .. ':tries'
  if tonumber(redis.call('HGET', tries, task) or 0) > 0 then redis.call('HINCRBY', tries, task, -1) end
  redis.call('HDEL', job_key(id) .. ':lost_slices', task .. ' trying')
end

-- Returns a task to the queue at once; that of a batch that has ended is dropped.
local function release(id, task, entry)
  local mine = remove_claimed(QUEUE, entry)
  local status, finished = unpack(redis.call('HMGET', job_key(id), 'status', 'finished'))
  if not status or finished then return end
  uncount_claim(id, task)
  if mine then add_task(id, task) end
end

-- The fields of a record, as jobs/batches/record.py decodes them; all are nil for an unknown id. Its total is nil until the
-- plan is complete. One that is overdue ends first.
local function read_current(id, retention_ms)
  expire_overdue(id, retention_ms)
  local record = redis.call('HMGET', job_key(id), 'v', 'status', 'model', 'sha', 'owner', 'options', 'size', 'total', 'rows',
                    'failed', 'bytes', 'started', 'finished', 'expires', 'error', 'metadata', 'deadline', 'webhook',
                    'retry_of', 'failed_files')
  if redis.call('HEXISTS', job_key(id), 'planning') == 1 then record[TOTAL] = false end
  return record
end
