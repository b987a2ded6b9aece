-- The queue core: everything that jobs of every kind share. Each script includes this file, then the file of its kind
-- (predictions/prediction.lua or batches/batch.lua); the loader keeps only the definitions that a script uses.
--
--   job:<id>                 hash    the record of a job; the file of its kind lists the fields
--   <kind>:of:<owner>        zset    the owner's jobs: the 16 bytes of each id, which begin with the time of creation
--   idempotency:<owner>:<digest>  string  what an Idempotency-Key stands for: a job's id and 16 bytes of the body's hash;
--                                    while the body of a batch arrives, CREATING and the id
--   queue:<name>             stream  entries that wait: the job's id, its rows, and for batches the task
--   queue:<name>:retry       stream  entries of predictions whose worker was lost: each is claimed alone
--   queue:<name>:rows        string  how many rows wait in both streams
--   queue:<name>:wake_ups    zset    wake-ups that were sent or are being answered, by the time when they expire
--   queue:<name>:consumers   zset    consumers that are alive, by the time when they expire
--   queue:<name>:claim_rows  string  how many rows a consumer claims at once
--   queue:<name>:deadlines   zset    jobs that must start in time, by their deadline
--   queue:<name>:swept       string  when the queue was last swept; no worker sweeps again for a short time
--   webhooks:<lane>          zset    deliveries to one receiver of one owner (`<owner>|<host>`), by when each is to be sent;
--                                    that time includes the lease of a process that is sending it
--   webhooks:<lane>:held     string  exists while the receiver wants to be left alone
--   webhooks                 zset    lanes, by when the next of their deliveries is to be sent
--   webhooks:pending         zset    jobs whose webhook is not delivered yet, by when they ended
--   delivery:<id>            hash    lane url event status (pending, delivered, given_up) tries created log; claimed_at (by the
--                                    process that sends it)
--   dead                     zset    what was given up, by when: ids of jobs, and of deliveries
--   web_processes            zset    web processes that are alive, by the time when they expire
--   processes                hash    what each web process and consumer reports: release, rows per second; a child process
--                                    that serves two queues has a field for each
--   metrics                  hash    counters (jobs/metrics.py)
--   store:rewritten          string  exists until the append-only file is to be rewritten again (worker/sweeper.py)

local GROUP = 'workers'
local PROCESSES = 'processes'
local METRICS = 'metrics'
local WAKE_UP_EXPIRES_MS = 5000  -- a wake-up that no consumer answers counts as lost
local ANSWER_EXPIRES_MS = 2000  -- a consumer that neither claims again nor withdraws its wake-up counts as lost
local ALIVE_MS = 5000  -- a process that has not reported for this long counts as dead
local SWEEP_AGAIN_MS = 1500
local CLOCK_SET_BACK_MS, CLOCK_SET_AHEAD_MS = 1000, 300000  -- since the last sweep; nothing else explains such a time
local LIST_KEPT_MS = 30 * 86400000  -- how long an owner's list is kept after the last job was added
local DELIVERY_KEPT_MS = 3 * 86400000  -- how long the log of a delivery is kept
local LANES = 'webhooks'
local PENDING = 'webhooks:pending'
local DEAD = 'dead'
local CONSUMER_IDLE_MS = 3600000  -- after which an idle consumer is removed from the consumer group

local function job_key(id) return 'job:' .. id end
local function list_key(kind, owner) return kind .. ':of:' .. owner end
local function idempotency_key(owner, digest) return digest ~= '' and 'idempotency:' .. owner .. ':' .. digest or '' end
local function stream_key(queue) return 'queue:' .. queue end
local function retry_key(queue) return 'queue:' .. queue .. ':retry' end
local function rows_key(queue) return 'queue:' .. queue .. ':rows' end
local function wake_ups_key(queue) return 'queue:' .. queue .. ':wake_ups' end
local function consumers_key(queue) return 'queue:' .. queue .. ':consumers' end
local function claim_rows_key(queue) return 'queue:' .. queue .. ':claim_rows' end
local function deadlines_key(queue) return 'queue:' .. queue .. ':deadlines' end
local function lane_key(lane) return 'webhooks:' .. lane end
local function held_key(lane) return 'webhooks:' .. lane .. ':held' end
local function delivery_key(id) return 'delivery:' .. id end
local function delivery_of(id) return 'msg_' .. id end  -- the name of the delivery of a job
local function swept_key(queue) return 'queue:' .. queue .. ':swept' end

-- A process may be in several sets, as consumer of several queues.
local function process_field(set, name) return set .. ' ' .. name end

local function whole(number) return string.format('%.0f', number) end

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local now_text = whole(now)

-- Lua passes at most some 8,000 arguments in one call.
local function in_slices(list, call)
  for first = 1, #list, 1000 do call(unpack(list, first, math.min(first + 999, #list))) end
end

local function append(lists, name, value)
  local list = lists[name]
  if list then list[#list + 1] = value else lists[name] = {value} end
end

-- A member of a set by expiry is live until then. One that is to live longer than any can was added before the clock was set
-- back, and counts as lapsed.
local function count_live(set, longest_ms) return redis.call('ZCOUNT', set, now_text, whole(now + longest_ms)) end

-- Removes and returns the members that are not live.
local function drop_lapsed(set, longest_ms)
  local lapsed = redis.call('ZRANGEBYSCORE', set, '-inf', now_text)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', set, '(' .. whole(now + longest_ms), '+inf')) do
    lapsed[#lapsed + 1] = member
  end
  in_slices(lapsed, function(...) redis.call('ZREM', set, ...) end)
  return lapsed
end

-- Ids ---------------------------------------------------------------------------------------------------------------

-- The id that these 16 bytes stand for; `prefix` names the kind of job.
local function id_from(prefix, raw)
  local hex = string.gsub(raw, '.', function(c) return string.format('%02x', string.byte(c)) end)
  return prefix .. string.gsub(hex, '^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)', '%1-%2-%3-%4-')
end

-- The first six bytes of an id that was made at this time.
local function first_bytes(time)
  local function byte(position) return math.floor(time / 256 ^ position) % 256 end
  return string.char(byte(5), byte(4), byte(3), byte(2), byte(1), byte(0))
end

-- Effects that wait for commit() ------------------------------------------------------------------------------------

local acknowledged = {}  -- stream -> entries
local messages = {}  -- channel -> messages
local counted = {}  -- metric -> times

local function acknowledge(stream, entry) append(acknowledged, stream, entry) end

local function count(metric, times) counted[metric] = (counted[metric] or 0) + (times or 1) end

-- The last call of a script, after its records are written: removes entries that are done, publishes messages, adds to the
-- metrics.
local function commit()
  for stream, entries in pairs(acknowledged) do
    in_slices(entries, function(...)
      redis.call('XACK', stream, GROUP, ...)
      redis.call('XDEL', stream, ...)
    end)
  end
  for channel, ended in pairs(messages) do redis.call('PUBLISH', channel, table.concat(ended, '\n')) end
  for metric, times in pairs(counted) do redis.call('HINCRBY', METRICS, metric, times) end
end

-- Records -----------------------------------------------------------------------------------------------------------

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

-- The fields that a script needs to end a job of any kind.
local function read_job(id)
  local seen = redis.call('HMGET', job_key(id), 'status', 'model', 'queue', 'attempt', 'started', 'watchers', 'deadline',
                          'idempotency', 'webhook')
  return {status = seen[1], model = seen[2], queue = seen[3], attempt = seen[4], started = seen[5], watchers = seen[6],
          deadline = seen[7], idempotency = seen[8], webhook = seen[9]}
end

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

-- Webhooks and dead letters -------------------------------------------------------------------------------------------

local function send_at(lane, id, time)
  redis.call('ZADD', lane_key(lane), whole(time), id)
  redis.call('ZADD', LANES, 'LT', whole(time), lane)
end

local function add_to_outbox(id, webhook, event)
  local lane, url = string.match(webhook, '^(%S+) (%S+)$')
  redis.call('HSET', delivery_key(id), 'lane', lane, 'url', url, 'event', event, 'status', 'pending', 'created', now_text)
  redis.call('PEXPIRE', delivery_key(id), DELIVERY_KEPT_MS)
  redis.call('ZADD', PENDING, now_text, id)
  send_at(lane, id, now)
end

local function remove_delivery(id)
  local lane = redis.call('HGET', delivery_key(id), 'lane')
  if lane then redis.call('ZREM', lane_key(lane), id) end
  redis.call('ZREM', PENDING, id)
  redis.call('DEL', delivery_key(id))
end

local GIVEN_UP = {worker_lost = true, model_unavailable = true, files_unavailable = true, not_finished = true}

-- Whether this error, which is JSON, is one of the service and not of what the caller sent.
local function is_given_up(error) return GIVEN_UP[string.match(error, '^{"type":"([%a_]+)"')] end

local function add_dead_letter(letter)
  redis.call('ZREMRANGEBYSCORE', DEAD, '-inf', whole(now - LIST_KEPT_MS))
  redis.call('ZADD', DEAD, now_text, letter)
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
  count('jobs_ended|' .. kind .. '|' .. job.model .. '|' .. status)
  if job.watchers then notify(id, job, status, expires, outputs, error) end
  if job.webhook then add_to_outbox(id, job.webhook, status) end
  if error ~= '' and is_given_up(error) then add_dead_letter(id) end
end

local DEADLINE_PASSED = '{"type":"deadline_passed","detail":"no worker started this job by its deadline"}'

-- Removes a job that has ended. `raw` is the 16 bytes of its id.
local function delete_job(kind, owner, id, raw)
  local key = job_key(id)
  local idempotency = redis.call('HGET', key, 'idempotency')
  if idempotency then redis.call('DEL', idempotency) end
  redis.call('DEL', key)
  redis.call('ZREM', list_key(kind, owner), raw)
  redis.call('ZREM', DEAD, id, delivery_of(id))
  remove_delivery(id)
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

-- Idempotency keys --------------------------------------------------------------------------------------------------

local CREATING = 'creating '

local function is_creating(value) return string.sub(value, 1, #CREATING) == CREATING end

-- The job that a key stands for, and the hash of its request's body; nil if the key is new.
local function known_job(key)
  local known = key ~= '' and redis.call('GET', key)
  if known then return string.sub(known, 1, -17), string.sub(known, -16) end
end

-- Owners' lists -----------------------------------------------------------------------------------------------------

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

-- Queues ------------------------------------------------------------------------------------------------------------

local function waiting(queue) return redis.call('XLEN', stream_key(queue)) + redis.call('XLEN', retry_key(queue)) end

-- Changes the number of rows that wait. missing_wake_ups() resets the number whenever the queue is empty.
local function count_rows(queue, rows) return redis.call('INCRBY', rows_key(queue), rows) end

-- How many wake-ups are missing: one is wanted for each claim's worth of rows, at most one for each consumer that is alive.
local function missing_wake_ups(queue)
  if waiting(queue) == 0 then
    redis.call('DEL', rows_key(queue))
    return 0
  end
  drop_lapsed(wake_ups_key(queue), WAKE_UP_EXPIRES_MS)
  local rows, claim_rows = redis.call('GET', rows_key(queue)), redis.call('GET', claim_rows_key(queue))
  local consumers = count_live(consumers_key(queue), ALIVE_MS)
  local wanted = math.min(math.max(math.ceil((rows or 0) / (claim_rows or 1000)), 1), consumers)
  return math.max(wanted - redis.call('ZCARD', wake_ups_key(queue)), 0)
end

local function note_wake_up(queue, name) redis.call('ZADD', wake_ups_key(queue), whole(now + WAKE_UP_EXPIRES_MS), name) end

-- Returns the names of the wake-ups that the caller must send now, at most `most`; they count as sent. Each name is `name`
-- and a number.
local function wake_up(queue, name, most)
  local sent = {}
  for number = 1, math.min(missing_wake_ups(queue), most) do
    sent[number] = name .. '-' .. number
    note_wake_up(queue, sent[number])
  end
  if #sent > 0 then redis.call('HINCRBY', METRICS, 'wake_ups|' .. queue, #sent) end
  return sent
end

local MOST_JOBS, MOST_ENTRIES = 256, 4096  -- in one claim, so that Redis is soon free again

-- Claims entries for one consumer until they have `wanted` rows. First comes the entry that the consumer has read already
-- (`read`: the entry and its fields, or nil); without it, one entry of a lost worker, which is claimed alone, so that other
-- jobs are not lost with it; then the entries that wait. `start(stream, entry, fields)` returns the claim, or nil to skip an
-- entry. With `last`, the wake-up is withdrawn if nothing was claimed.
local function claim(queue, consumer, wake_up_name, wanted, read, last, start)
  local claimed, rows, entries, rows_read = {}, 0, 0, 0

  local function begin(stream, entry, fields)
    entries, rows_read = entries + 1, rows_read + fields[4]
    local job = start(stream, entry, fields)
    if job then claimed[#claimed + 1], rows = job, rows + fields[4] end
  end

  local function take(stream, number)
    local found = redis.call('XREADGROUP', 'GROUP', GROUP, consumer, 'COUNT', number, 'STREAMS', stream, '>')
    if not found then return false end
    for _, item in ipairs(found[1][2]) do begin(stream, item[1], item[2]) end
    return true
  end

  -- A list may have 1,000 rows: as many entries as should have the rows that are still wanted, by those read so far.
  local function next_number()
    if entries == 0 then return 1 end
    return math.min(math.ceil((wanted - rows) * entries / rows_read), 16)
  end

  local stream = stream_key(queue)
  redis.call('SET', claim_rows_key(queue), wanted)
  if read then
    -- The sweeper may have requeued the entry in the meantime.
    if #redis.call('XPENDING', stream, GROUP, read.entry, read.entry, 1, consumer) > 0 then
      begin(stream, read.entry, read.fields)
    end
  else
    while #claimed == 0 and take(retry_key(queue), 1) do end
  end
  if read or #claimed == 0 then
    while rows < wanted and #claimed < MOST_JOBS and entries < MOST_ENTRIES and take(stream, next_number()) do end
  end
  if rows_read > 0 then count_rows(queue, -rows_read) end
  if #claimed > 0 then
    if wake_up_name ~= '' then
      redis.call('ZADD', wake_ups_key(queue), whole(now + ANSWER_EXPIRES_MS), wake_up_name)
    end
  elseif last then
    redis.call('ZREM', wake_ups_key(queue), wake_up_name)
  end
  return claimed
end

-- Removes an entry at once. Returns whether it was still claimed: the sweeper may have requeued it in the meantime.
local function remove_claimed(queue, entry)
  local stream = stream_key(queue)
  if redis.call('XACK', stream, GROUP, entry) == 0 then return false end
  redis.call('XDEL', stream, entry)
  return true
end

local ANY_TIME = '-1000000000000'  -- as the least idle time: entries are claimed even if the clock says that this was in the future

-- Begins the leases of all entries of a stream anew. How long ago an entry was claimed is unknown once the clock was set: Redis
-- compares two times of that clock.
local function restart_leases(stream)
  local from = '-'
  repeat
    local claimed = redis.call('XPENDING', stream, GROUP, from, '+', 1000)
    for _, entry in ipairs(claimed) do
      redis.call('XCLAIM', stream, GROUP, entry[2], ANY_TIME, entry[1], 'IDLE', 0, 'JUSTID')
      from = '(' .. entry[1]
    end
  until #claimed < 1000
end

-- Returns whether this worker is to sweep the queue; false if another has just done so. If the clock seems to have been set
-- since the last sweep, all leases begin anew.
local function may_sweep(queue)
  local since = now - tonumber(redis.call('GET', swept_key(queue)) or now - SWEEP_AGAIN_MS)
  if since >= 0 and since < SWEEP_AGAIN_MS then return false end
  redis.call('SET', swept_key(queue), now_text)
  if since < -CLOCK_SET_BACK_MS or since > CLOCK_SET_AHEAD_MS then
    restart_leases(stream_key(queue))
    restart_leases(retry_key(queue))
  end
  return true
end

-- Passes each entry of the stream that was claimed longer ago than the lease to `requeue(entry, fields)`.
local function sweep_stream(stream, lease_ms, most, requeue)
  local cursor, swept = '0-0', 0
  repeat
    local next_cursor, found = unpack(redis.call('XAUTOCLAIM', stream, GROUP, 'sweeper', lease_ms, cursor, 'COUNT', 100))
    cursor = next_cursor
    for _, item in ipairs(found) do requeue(item[1], item[2]) end
    swept = swept + #found
  until cursor == '0-0' or swept >= most
  -- Redis keeps every consumer in the group until it is removed.
  for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', stream, GROUP)) do
    local _, name, _, pending, _, idle = unpack(consumer)
    if pending == 0 and idle > CONSUMER_IDLE_MS then redis.call('XGROUP', 'DELCONSUMER', stream, GROUP, name) end
  end
end

-- Passes each job whose deadline has passed to `expire(id)`.
local function sweep_deadlines(queue, most, expire)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', deadlines_key(queue), '-inf', now_text, 'LIMIT', 0, most)) do
    expire(id)
    redis.call('ZREM', deadlines_key(queue), id)
  end
end
