-- Claims one task for a consumer. `entry`, `entry_id` and `entry_task` describe an entry that the consumer has read from the
-- queue already (empty: none). With `last`, the wake-up is withdrawn if nothing is claimed. `lost` has the slices of a chunk
-- that were being scored when a worker was lost. `chunks` is how many are planned so far; `planning` and `joining` say where
-- to go on. For the task 'join', `plan` has all chunks of the batch, and `done` alternates the number of a chunk that is
-- done and what is recorded of it; for 'correct', `done` has what the batch that is tried again has recorded. `kept` is that of
-- this chunk. Of several files, `file` is what planning found of the one with this chunk, or of the one in which it goes on;
-- 'join' has all of them in `files`, `file_errors` and `joined`, each after its number.
-- @include batches/batch
-- @args queue consumer wake_up_name retention_ms:number entry entry_id entry_task last
-- @returns each: entry id task attempts model sha options layout chunks total cut_short planning joining chunk lost plan done kept file files file_errors joined traceparent

local function drop(found, id, task, status)
  acknowledge(stream_key(queue), found)
  if status == 'canceling' and tonumber(task) then
    redis.call('SREM', job_key(id) .. ':in_queue', task)
    advance(id)
  end
end

-- Moves the slice that was being scored when the last worker was lost to the lost slices. Returns all lost slices, and
-- whether one was added.
local function lost_slices(id, task)
  local noted = job_key(id) .. ':lost_slices'
  local lost, trying = unpack(redis.call('HMGET', noted, task, task .. ' trying'))
  if not trying then return lost or '', false end
  lost = lost and lost .. ' ' .. trying or trying
  redis.call('HSET', noted, task, lost)
  redis.call('HDEL', noted, task .. ' trying')
  return lost, true
end

local function all_of(id, name) return redis.call('HGETALL', job_key(id) .. ':' .. name) end

-- Raises an error, so that the batch is given up now and not between two checkpoints.
local function check_counts(key)
  for _, text in ipairs(redis.call('HMGET', key, 'size', 'chunks', 'next', 'total', 'planned', 'rows', 'failed', 'bytes')) do
    if text then assert(whole_in(text), 'a count of the batch is not as we write it') end
  end
end

local function start(_, found, fields)
  local id, task = fields[2], fields[6]
  local key = job_key(id)
  check_counts(key)
  expire_overdue(id, retention_ms)
  local status = redis.call('HGET', key, 'status')
  if not is_wanted(id, task, status) then return drop(found, id, task, status) end
  if status == 'queued' then set_status(id, 'running', 'started', now_text) end
  local lost, known_why = lost_slices(id, task)
  local attempts = redis.call('HINCRBY', key .. ':tries', task, known_why and 0 or 1)
  redis.call('HSET', key .. ':tries', task .. ' entry', found)
  local model, sha, options, layout, chunks, total, planning, joining, trace = unpack(redis.call(
    'HMGET', key, 'model', 'sha', 'options', 'layout', 'chunks', 'total', 'planning', 'joining', 'traceparent'))
  local chunk = tonumber(task) and redis.call('LINDEX', key .. ':plan', task)
  local kept = tonumber(task) and redis.call('HGET', key .. ':kept', task)
  local number = string.match(chunk or '', '^(%d+)/') or task == 'plan' and string.match(planning or '', '^(%d+):%d+:')
  local file = number and redis.call('HGET', key .. ':files', number)
  local plan, done, files, file_errors, joined = {}, {}, {}, {}, {}
  if task == 'join' then
    plan, done, files = redis.call('LRANGE', key .. ':plan', 0, -1), all_of(id, 'done'), all_of(id, 'files')
    file_errors, joined = all_of(id, 'file_errors'), all_of(id, 'joined')
  end
  if task == 'correct' then done = all_of(id, 'kept') end
  local cut = planning == CUT_SHORT and 1 or 0
  return {found, id, task, attempts, model, sha, options, layout or '', chunks or 0, total or 0, cut, planning or '',
          joining or '', chunk or '', lost, plan, done, kept or '', file or '', files, file_errors, joined,
          trace or ''}
end

local read = entry ~= '' and {{entry = entry, fields = {'id', entry_id, 'rows', 1, 'task', entry_task}}} or {}
local guarded_start = guarded(queue, start, function(id) give_up(id, retention_ms) end)
local claimed = claim(queue, consumer, wake_up_name, 1, read, last ~= '', false, guarded_start)
commit()
return claimed
