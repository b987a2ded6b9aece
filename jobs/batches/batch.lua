-- The record of a batch, its tasks, and what moves it from status to status. jobs/batches/status.py has the table of its
-- statuses. A task is what a consumer claims: 'plan', 'preview' (of a dry run), the number of a chunk to score, or 'join'.
--
--   job:<id>          hash    v status model sha owner options size metadata deadline idempotency watchers; from the plan on
--                             layout chunks total next; rows failed bytes (of the chunks that are done); started finished
--                             expires error; hidden (of a dry run, which is in no list)
--   job:<id>:plan     list    its chunks, in order
--   job:<id>:done     hash    the rows and failed rows of each chunk that is done
--   job:<id>:in_queue  set    chunks that are in the queue or claimed
--   job:<id>:tries    hash    how many consumers have claimed each task; not those after whom a slice of a chunk was found
--                             under trial; and, as '<task> entry', the entry that was claimed last
--   job:<id>:lost_slices  hash  of each chunk that consumers were lost with: the slices of rows that they had noted;
--                             and, as '<chunk> trying', the slice that is under trial
--   batches:open      set     batches that have not ended
--   batches:open:<owner>  zset  those of the owner, by the time when they were accepted
--   batches:unqueued  string  how many chunks are planned and not in the queue yet
--   batches:files     zset    batches whose files are to be removed, by when

local KIND = 'batches'
local QUEUE = 'batches'
local FINISHED = 13  -- the index of `finished` in what read_record returns
local OPEN = 'batches:open'
local UNQUEUED = 'batches:unqueued'
local FILES = 'batches:files'

local function id_of(raw) return id_from('batch_', raw) end
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
  redis.call('DEL', key .. ':plan', key .. ':done', key .. ':in_queue', key .. ':tries', key .. ':lost_slices')
  redis.call('SREM', OPEN, id)
  redis.call('ZREM', open_key(owner), id)
  if chunks then redis.call('DECRBY', UNQUEUED, chunks - next_chunk) end
  if redis.call('SCARD', OPEN) == 0 then redis.call('DEL', UNQUEUED) end  -- corrects the count if it has drifted
  redis.call('ZADD', FILES, whole(now + retention_ms), id)
  end_job(hidden and 'previews' or KIND, QUEUE, id, read_job(id), status, retention_ms, NOT_INLINED, error)
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
  if deadline and tonumber(deadline) <= now and (status == 'validating' or status == 'queued') then
    end_batch(id, 'expired', retention_ms, DEADLINE_PASSED)
  end
end

-- How many chunks of one batch are in the queue at a time: enough for all consumers, few enough to let other batches in.
local function most_out()
  return math.max(2 * redis.call('ZCOUNT', consumers_key(QUEUE), now_text, '+inf'), 2)
end

-- Whether a task is still to be done: another consumer may have done it, or the batch may have moved on.
local function is_wanted(id, task, status)
  if task == 'plan' or task == 'preview' then return status == 'validating' end
  if task == 'join' then return status == 'finalizing' or status == 'canceling' end
  return (status == 'queued' or status == 'running') and redis.call('HEXISTS', job_key(id) .. ':done', task) == 0
end

-- Adds the next chunks of a batch to the end of the queue; after the last is done, the task to join the parts.
local function advance(id)
  local key = job_key(id)
  local status, next_chunk, chunks = unpack(redis.call('HMGET', key, 'status', 'next', 'chunks'))
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
    if out == 0 then
      set_status(id, 'finalizing')
      add_task(id, 'join')
    end
  elseif status == 'canceling' and out == 0 then
    add_task(id, 'join')
  end
end

-- A chunk cannot be scored: the batch will fail, and keeps what its other chunks give. With `last`, no further chunk is
-- added to the queue.
local function fail_chunk(id, chunk, error, last)
  local key = job_key(id)
  if redis.call('SREM', key .. ':in_queue', chunk) == 0 then return end
  local status, chunks, next_chunk = unpack(redis.call('HMGET', key, 'status', 'chunks', 'next'))
  if status == 'running' then
    redis.call('HSETNX', key, 'error', error)
    if last then
      redis.call('HSET', key, 'next', chunks)
      redis.call('DECRBY', UNQUEUED, chunks - next_chunk)
    end
  end
  advance(id)
end

-- The fields of a record, as jobs/batches/record.py decodes them; all are nil for an unknown id.
local function read_record(id, retention_ms)
  expire_overdue(id, retention_ms)
  return redis.call('HMGET', job_key(id), 'v', 'status', 'model', 'sha', 'owner', 'options', 'size', 'total', 'rows',
                    'failed', 'bytes', 'started', 'finished', 'expires', 'error', 'metadata', 'deadline')
end
