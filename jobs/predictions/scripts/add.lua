-- Accepts predictions: writes each record, adds the job to its queue and returns the wake-ups to send. A verdict is 'ok',
-- {'ok', deadline}, {'ok', deadline, rows ahead} of a job that waits behind or was added before, {'same', id of the job that the Idempotency-Key
-- stands for}, {'reused'}, {'full'}, {'too_many_rows'}, {'waiting', rows to be scored before there is room} or
-- {'rate_limited', seconds until the owner may post again}; {'unreadable'} if what it meets in the store is not as we write it.
-- Adding a job again changes nothing. `in_turns`: owners take turns (empty: there is one owner). `alone`: this call adds one job,
-- whose entry may carry its row (empty: none may). `ahead` alternates queues and how many rows waited in each before this call.
-- @include queues/wake_ups predictions/prediction
-- @args max_waiting:number max_rows_per_owner:number rows_per_minute:number in_turns alone retention_ms:number wake_up_name
-- @item id raw model sha owner metadata start_within_ms idempotency body webhook retry_of traceparent inputs rows:number watcher queue
-- @returns verdicts wake_ups ahead

local room = max_waiting
for _, queue in ipairs({'predictions', 'explanations'}) do
  for _, stream in ipairs(streams_of(queue)) do room = room - redis.call('XLEN', stream) end
  if in_turns ~= '' then room = room - state_of(queue).behind end
end

local function next_position(queue, rows)
  local state = state_of(queue)
  local position = (state.added or last_position(queue)) + 1  -- a store that an older release filled has no count
  state.added = position + rows - 1
  return whole(position)
end

local used = {}  -- owner -> rows posted in this minute, as of this call
local function over_limit(owner, rows)
  if rows_per_minute == 0 then return false end
  local key = rate_key(owner, minute_of(now))
  used[owner] = used[owner] or whole_in(redis.call('GET', key)) or 0
  if used[owner] + rows > rows_per_minute then return true end
  used[owner] = used[owner] + rows
  return false
end

-- The verdict on a job that is not added. `behind` is what waits behind of its owner, where it would wait behind.
local function refusal(job, key, behind)
  local known, body = known_job(key)
  if known then return body == job.body and {'same', known} or {'reused'} end
  if room <= 0 then return {'full'} end
  if rows_per_minute > 0 and job.rows > rows_per_minute then return {'too_many_rows'} end
  local over = behind and max_rows_per_owner > 0 and behind.rows + job.rows - max_rows_per_owner or 0
  if over > 0 then return {'waiting', whole(rows_before(job.queue, over))} end
  if over_limit(job.owner, job.rows) then return {'rate_limited', whole(60 - math.floor(now / 1000) % 60)} end
end

local function write_record(job, key, position, behind, deadline)
  write(job_key(job.id),
        {'v', '1', 'status', 'queued', 'model', job.model, 'sha', job.sha, 'owner', job.owner, 'inputs', job.inputs},
        {'position', position, 'behind', behind, 'queue', job.queue ~= QUEUE and job.queue or '',
         'rows', job.rows > 1 and job.rows or '', 'metadata', job.metadata,
         'watchers', job.watcher, 'deadline', deadline, 'idempotency', key,
         'webhook', job.webhook, 'retry_of', job.retry_of,
         'traceparent', job.traceparent})
end

-- A consumer that watches the queue reads the row with the entry, and needs no script to claim it. It claims what comes with
-- others by a script, and what waits long should be stored once only.
local LONGEST_CARRIED = 8192
local function carries_row(job)
  local state = state_of(QUEUE)
  return alone ~= '' and job.queue == QUEUE and job.rows == 1 and job.start_within_ms == '' and state.rows < state.window
    and #job.inputs <= LONGEST_CARRIED
end

-- Adds the entry of a job to its queue. Returns its position; or its number behind, and how many rows are ahead of it. What comes
-- first has neither.
local function queue_up(job, behind)
  if behind and comes_first(job.queue, job.owner, behind, job.rows) then
    redis.call('XADD', first_key(job.queue), '*', 'id', job.id, 'rows', job.rows, 'owner', job.owner)
    return '', '', '0'
  elseif behind then
    local ahead = rows_before(job.queue, behind.rows)
    return '', put_behind(job.queue, job.owner, behind, job.id, job.rows), whole(ahead)
  end
  local position = next_position(job.queue, job.rows)
  local fields = {'id', job.id, 'rows', job.rows}
  if carries_row(job) then carry_row(fields, job) end
  redis.call('XADD', stream_key(job.queue), entry_of(position), unpack(fields))
  return position, ''
end

local new_rows = {}  -- queue -> rows that this call adds
local listed = {}  -- owner -> a score and the 16 bytes of the id, for each new job

-- The verdict on a job that was added before, also by this call. About as many rows are ahead of it as its place says: of what
-- waits now, all but those that came later.
local function known_verdict(job)
  local deadline, position, behind = unpack(redis.call('HMGET', job_key(job.id), 'deadline', 'position', 'behind'))
  local state, ahead = state_of(job.queue), 0
  position, behind = whole_in(position), whole_in(behind)
  if behind then
    local first = behind_of(job.queue, job.owner).first or behind
    ahead = math.min(rows_before(job.queue, math.max(behind - first, 0)), state.rows - job.rows)
  elseif position and state.added then
    ahead = state.rows - (state.added - position + 1)
  end
  return {'ok', deadline or '', whole(math.max(ahead, 0))}
end

local function add(job)
  if redis.call('EXISTS', job_key(job.id)) == 1 then return known_verdict(job) end
  local key = idempotency_key(job.owner, job.idempotency)
  local behind = in_turns ~= '' and is_behind(job.queue) and behind_of(job.queue, job.owner)
  local refused = refusal(job, key, behind)
  if refused then return refused end
  room = room - 1
  local position, number_behind, ahead = queue_up(job, behind)
  local state = state_of(job.queue)
  state.rows = state.rows + job.rows
  new_rows[job.queue] = (new_rows[job.queue] or 0) + job.rows
  local deadline = job.start_within_ms ~= '' and whole(now + job.start_within_ms) or ''
  write_record(job, key, position, number_behind, deadline)
  append(listed, job.owner, 0)
  append(listed, job.owner, job.raw)
  if key ~= '' then redis.call('SET', key, job.id .. job.body) end
  if deadline ~= '' then redis.call('ZADD', deadlines_key(job.queue), deadline, job.id) end
  if deadline == '' and not ahead then return 'ok' end
  return {'ok', deadline, ahead}
end

local verdicts = {}
for number, job in items() do
  local ok, verdict = pcall(add, job)
  verdicts[number] = ok and verdict or {'unreadable'}
end
for owner, scores_and_ids in pairs(listed) do
  add_to_list(KIND, owner, scores_and_ids)
  prune_list(KIND, owner, id_of, retention_ms, #scores_and_ids)
end

for owner, rows in pairs(used) do redis.call('SET', rate_key(owner, minute_of(now)), whole(rows), 'PX', 120000) end

local ahead = {}
for queue, rows in pairs(new_rows) do
  local added = state_of(queue).added
  if added then redis.call('SET', key_of(queue, 'added'), whole(added)) end
  ahead[#ahead + 1] = queue
  ahead[#ahead + 1] = count_rows(queue, rows) - rows
end
return {verdicts, wake_up(QUEUE, wake_up_name, 1), ahead}
