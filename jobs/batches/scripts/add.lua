-- Accepts a batch whose input is in the file store, and adds its first task to the queue. `hidden`: the batch is in no list.
-- Returns {'ok', wake-ups to send}, what `refusal` returns or, if the Idempotency-Key is not reserved for this batch any more,
-- {'same', id of the job that the key stands for}, {'reused'} or {'lapsed'}; {'gone'} if what
-- it tries again is there no longer. Adding a batch again changes nothing.
-- @include queues/wake_ups batches/batch
-- @args max_open:number max_open_per_owner:number retention_ms:number wake_up_name
-- A batch with `reads`, the batches whose files it reads, tries `retry_of` again. Its plan is that of the other unless its
-- first task is to plan; without a task, its chunks are queued at once.
-- @item id raw model sha owner metadata start_within_ms idempotency body webhook retry_of traceparent options size task hidden reads
-- @returns verdict

local function note_reads(batch)
  for source in string.gmatch(batch.reads, '%S+') do
    redis.call('SADD', readers_key(source), batch.id)
    redis.call('SADD', reads_key(batch.id), source)
  end
end

local function adopts_plan(batch) return batch.task == '' or batch.task == 'correct' end

-- What was done becomes what is kept: the retry copies or mends the part of each chunk.
local function adopt_plan(batch)
  local key, old = job_key(batch.id), job_key(batch.retry_of)
  redis.call('COPY', old .. ':plan', key .. ':plan')
  redis.call('COPY', old .. ':done', key .. ':kept')
  redis.call('PERSIST', key .. ':plan')
  redis.call('PERSIST', key .. ':kept')
  local files = redis.call('HGETALL', old .. ':files')
  for at = 1, #files, 2 do note_file(batch.id, files[at], files[at + 1]) end
  local layout, chunks, total, size = unpack(redis.call('HMGET', old, 'layout', 'chunks', 'total', 'size'))
  for _, done in ipairs(redis.call('HVALS', key .. ':kept')) do
    local rows, expected = string.match(done, '^(%d+) %d+ %d+ %d+ (%d+)')
    total = total - rows + expected  -- as it was planned
  end
  redis.call('HSET', key, 'layout', layout, 'next', 0, 'chunks', chunks, 'total', whole(total), 'size', size, 'planned', size)
  redis.call('INCRBY', UNQUEUED, chunks)
end

-- The verdict on a batch whose key is not reserved for it; nil if it is. This call may be late: its caller may have repeated
-- the request meanwhile.
local function lost_key(batch, key)
  local held = redis.call('GET', key)
  if held == CREATING .. batch.id then return nil end
  if not held or is_creating(held) then return {'lapsed'} end
  local id, body = known_job(key)
  return body == batch.body and {'same', id} or {'reused'}
end

local function add(batch)
  local key = job_key(batch.id)
  if redis.call('EXISTS', key) == 1 then return {'ok', noted_before(QUEUE, wake_up_name, 1)} end
  local idempotency = idempotency_key(batch.owner, batch.idempotency)
  local refused = idempotency ~= '' and lost_key(batch, idempotency)
                  or refusal(batch.owner, max_open, max_open_per_owner)
  if refused then return refused end
  local needed = job_key(batch.retry_of) .. (adopts_plan(batch) and ':plan' or '')
  if batch.reads ~= '' and redis.call('EXISTS', needed) == 0 then return {'gone'} end
  local deadline = batch.start_within_ms ~= '' and whole(now + batch.start_within_ms) or ''
  write(key,
        {'v', '1', 'status', 'validating', 'model', batch.model, 'sha', batch.sha, 'owner', batch.owner,
         'options', batch.options, 'size', batch.size, 'metadata', batch.metadata, 'rows', 0, 'failed', 0, 'bytes', 0},
        {'deadline', deadline, 'idempotency', idempotency, 'hidden', batch.hidden, 'webhook', batch.webhook,
         'retry_of', batch.retry_of, 'traceparent', batch.traceparent})
  if deadline ~= '' then redis.call('ZADD', deadlines_key(QUEUE), deadline, batch.id) end
  if idempotency ~= '' then redis.call('SET', idempotency, batch.id .. batch.body) end
  redis.call('SADD', OPEN, batch.id)
  redis.call('ZADD', open_key(batch.owner), now_text, batch.id)
  if batch.hidden == '' then
    add_to_list(KIND, batch.owner, {0, batch.raw})
    prune_list(KIND, batch.owner, id_of, retention_ms, 2)
  end
  note_reads(batch)
  if adopts_plan(batch) then adopt_plan(batch) end
  if batch.task == '' then
    set_status(batch.id, 'queued')
    advance(batch.id)
  else
    add_task(batch.id, batch.task)
  end
  return {'ok', wake_up(QUEUE, wake_up_name, 1)}
end

local verdict
for _, batch in items() do verdict = add(batch) end
return verdict
