-- Accepts predictions: writes each record, adds the job to its queue and returns the wake-ups to send. A verdict is 'ok',
-- {'ok', deadline}, {'same', id of the job that the Idempotency-Key stands for}, {'reused'}, {'full'}, {'too_many_rows'} or
-- {'rate_limited', seconds until the owner may post again}. Adding a job again changes nothing. `ahead` alternates queues and
-- how many rows waited in each before this call.
-- @include queues/common predictions/prediction
-- @args max_waiting:number rows_per_minute:number retention_ms:number wake_up_name
-- @item id raw model sha owner metadata start_within_ms idempotency body webhook retry_of inputs rows:number watcher queue
-- @returns verdicts wake_ups ahead

local minute = math.floor(now / 60000)
local room = max_waiting
for _, queue in ipairs({'predictions', 'explanations'}) do room = room - waiting(queue) end

-- The store may have been filled by a release that kept no count.
local function last_position(queue)
  local found = redis.pcall('XINFO', 'STREAM', stream_key(queue))
  for at = 1, #found, 2 do
    if found[at] == 'last-generated-id' then return string.match(found[at + 1], '^%d+') end
  end
  return 0
end

local added, new_rows = {}, {}  -- queue -> rows that were ever added, and rows that this call adds
local function next_position(queue, rows)
  added[queue] = added[queue] or tonumber(redis.call('GET', added_key(queue)) or last_position(queue))
  local position = whole(added[queue] + 1)
  added[queue] = added[queue] + rows
  new_rows[queue] = (new_rows[queue] or 0) + rows
  return position
end

local function over_limit(owner, rows)
  if rows_per_minute == 0 then return false end
  local key = 'rate:' .. owner .. ':' .. whole(minute)
  local used = tonumber(redis.call('GET', key) or 0)
  if used + rows > rows_per_minute then return true end
  redis.call('INCRBY', key, rows)
  redis.call('PEXPIRE', key, 120000)
  return false
end

-- The verdict on a job that is not added.
local function refusal(job, key)
  local known, body = known_job(key)
  if known then return body == job.body and {'same', known} or {'reused'} end
  if room <= 0 then return {'full'} end
  if rows_per_minute > 0 and job.rows > rows_per_minute then return {'too_many_rows'} end
  if over_limit(job.owner, job.rows) then return {'rate_limited', whole(60 - math.floor(now / 1000) % 60)} end
end

local function write_record(job, key, position, deadline)
  write(job_key(job.id),
        {'v', '1', 'status', 'queued', 'model', job.model, 'sha', job.sha, 'owner', job.owner, 'inputs', job.inputs,
         'position', position},
        {'queue', job.queue ~= QUEUE and job.queue or '', 'rows', job.rows > 1 and job.rows or '', 'metadata', job.metadata,
         'watchers', job.watcher, 'deadline', deadline, 'idempotency', key, 'webhook', job.webhook, 'retry_of', job.retry_of})
end

local listed = {}  -- owner -> a score and the 16 bytes of the id, for each new job

local function add(job)
  if redis.call('EXISTS', job_key(job.id)) == 1 then return 'ok' end
  local key = idempotency_key(job.owner, job.idempotency)
  local refused = refusal(job, key)
  if refused then return refused end
  room = room - 1
  local position = next_position(job.queue, job.rows)
  local deadline = job.start_within_ms ~= '' and whole(now + job.start_within_ms) or ''
  write_record(job, key, position, deadline)
  redis.call('XADD', stream_key(job.queue), entry_of(position), 'id', job.id, 'rows', job.rows)
  append(listed, job.owner, 0)
  append(listed, job.owner, job.raw)
  if key ~= '' then redis.call('SET', key, job.id .. job.body) end
  if deadline == '' then return 'ok' end
  redis.call('ZADD', deadlines_key(job.queue), deadline, job.id)
  return {'ok', deadline}
end

local verdicts = {}
for number, job in items() do verdicts[number] = add(job) end
for owner, scores_and_ids in pairs(listed) do
  add_to_list(KIND, owner, scores_and_ids)
  prune_list(KIND, owner, id_of, retention_ms, #scores_and_ids)
end

local ahead = {}
for queue, rows in pairs(new_rows) do
  redis.call('SET', added_key(queue), whole(added[queue]))
  ahead[#ahead + 1] = queue
  ahead[#ahead + 1] = count_rows(queue, rows) - rows
end
return {verdicts, wake_up(QUEUE, wake_up_name, 1), ahead}
