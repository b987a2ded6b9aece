-- The record of a job of any kind: how it changes and ends, and what refers to it (callers that wait, its Idempotency-Key,
-- the list of its owner).
-- @include webhooks/outbox dead/letters

local UNREADABLE = '{"type":"unreadable","detail":"the record of this job could not be read, so the job was given up"}'
local UNREADABLE_RECORD = {'?'}  -- of no version that anybody reads
local DEADLINE_PASSED = '{"type":"deadline_passed","detail":"no worker started this job by its deadline"}'

local function list_key(kind, owner) return kind .. ':of:' .. owner end
local function idempotency_key(owner, digest) return digest ~= '' and 'idempotency:' .. owner .. ':' .. digest or '' end

-- Records ------------------------------------------------------------------------------------------------------------

-- Writes a record in one call: all of `fields`, and those of `others` that are not empty. Both alternate names and values.
local function write(key, fields, others)
  local size = #fields
  for at = 1, #others, 2 do
    local value = others[at + 1]
    if value ~= '' then fields[size + 1], fields[size + 2], size = others[at], value, size + 2 end
  end
  redis.call('HSET', key, unpack(fields, 1, size))
end

-- The only function that changes the status of a job that has not ended; further fields change with it.
local function set_status(id, status, ...) redis.call('HSET', job_key(id), 'status', status, ...) end

local function is_final(id) return redis.call('HEXISTS', job_key(id), 'finished') == 1 end

-- The fields that a script needs to end a job of any kind.
local function read_job(id)
  local seen = redis.call('HMGET', job_key(id), 'status', 'model', 'queue', 'attempt', 'started', 'watchers', 'deadline',
                          'idempotency', 'owner', 'webhook')
  return {status = seen[1], model = seen[2], queue = seen[3], attempt = seen[4], started = seen[5], watchers = seen[6],
          deadline = seen[7], idempotency = seen[8], owner = seen[9], webhook = seen[10]}
end

-- Registers a channel on which a message is published when the job ends.
local function watch(id, channel)
  local watchers = redis.call('HGET', job_key(id), 'watchers')
  if not watchers then
    redis.call('HSET', job_key(id), 'watchers', channel)
  elseif not string.find(' ' .. watchers .. ' ', ' ' .. channel .. ' ', 1, true) then
    redis.call('HSET', job_key(id), 'watchers', watchers .. ' ' .. channel)
  end
end

-- Ends ---------------------------------------------------------------------------------------------------------------

-- Informs the web processes that wait for a job. A message is these lines (jobs/queues/ended.py reads them): id, status,
-- attempt, started, finished, expires, outputs, error. Long outputs are not inlined; the waiting process reads the record.
local LONGEST_INLINED = 4096
local NOT_INLINED = '-'

local function notify(id, job, status, expires, outputs, error)
  if #outputs > LONGEST_INLINED then outputs = NOT_INLINED end
  local lines = {id, status, job.attempt or '0', job.started or '', now_text, expires, outputs, error}
  local message = table.concat(lines, '\n')
  for channel in string.gmatch(job.watchers, '%S+') do append(messages, channel, message) end
end

-- The only function that ends a job, of either kind; the caller has checked that it has not ended. `outputs` and `error` are
-- empty if there are none; the last arguments name the fields that the record no longer needs.
local function end_job(kind, queue, id, job, status, retention_ms, outputs, error, ...)
  local key = job_key(id)
  local expires = whole(now + retention_ms)
  redis.call('HDEL', key, 'watchers', ...)
  write(key, {'status', status, 'finished', now_text, 'expires', expires},
        {'outputs', outputs ~= NOT_INLINED and outputs or '', 'error', error})
  redis.call('PEXPIRE', key, retention_ms)
  if job.idempotency then redis.call('PEXPIRE', job.idempotency, retention_ms) end
  if job.deadline then redis.call('ZREM', deadlines_key(queue), id) end
  local owner = job.owner or ''
  local bytes = (bytes_kept[owner] or {bytes = 0}).bytes + JOB_BYTES + #outputs + #error
  bytes_kept[owner] = {bytes = bytes, expires = now + retention_ms}
  count('jobs_ended|' .. kind .. '|' .. (job.model or '') .. '|' .. status)
  if job.watchers then notify(id, job, status, expires, outputs, error) end
  if job.webhook then add_to_outbox(id, job.webhook, status) end
  if error ~= '' and is_given_up(error) then add_dead_letter(id) end
end

-- Removes a job that has ended. `raw` is the 16 bytes of its id.
local function delete_job(kind, owner, id, raw)
  local key = job_key(id)
  local idempotency, expires, outputs, error = unpack(redis.call('HMGET', key, 'idempotency', 'expires', 'outputs', 'error'))
  count_kept(owner, expires, -(JOB_BYTES + #(outputs or '') + #(error or '')))
  if idempotency then redis.call('DEL', idempotency) end
  redis.call('DEL', key)
  redis.call('ZREM', list_key(kind, owner), raw)
  redis.call('ZREM', DEAD, id)
  for _, name in ipairs(delivery_names(id)) do
    redis.call('ZREM', DEAD, delivery_of(name))
    remove_delivery(name)
  end
end

-- Idempotency keys ---------------------------------------------------------------------------------------------------

local CREATING = 'creating '

local function is_creating(value) return string.sub(value, 1, #CREATING) == CREATING end

-- The job that a key stands for, and the hash of its request's body; nil if the key is new.
local function known_job(key)
  local known = key ~= '' and redis.call('GET', key)
  if known then return string.sub(known, 1, -17), string.sub(known, -16) end
end

-- Owners' lists ------------------------------------------------------------------------------------------------------

-- Adds jobs to the owner's list; `scores_and_ids` alternates 0 and the 16 bytes of an id.
local function add_to_list(kind, owner, scores_and_ids)
  local list = list_key(kind, owner)
  in_slices(scores_and_ids, function(...) redis.call('ZADD', list, ...) end)
  redis.call('PEXPIRE', list, LIST_KEPT_MS)
end

-- Removes up to `most` jobs that have expired, so that the list of a busy owner does not grow for ever.
local function prune_list(kind, owner, id_of, retention_ms, most)
  local list = list_key(kind, owner)
  local oldest = redis.call('ZRANGEBYLEX', list, '-', '(' .. first_bytes(now - retention_ms), 'LIMIT', 0, most)
  for _, raw in ipairs(oldest) do
    if redis.call('EXISTS', job_key(id_of(raw))) == 0 then redis.call('ZREM', list, raw) end
  end
end
