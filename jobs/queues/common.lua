-- The queue core: everything that jobs of every kind share. Each script includes this file, then the file of its kind
-- (predictions/prediction.lua or batches/batch.lua); the loader keeps only the definitions that a script uses.
--
--   job:<id>                 hash    the record of a job; the file of its kind lists the fields
--   <kind>:of:<owner>        zset    the owner's jobs: the 16 bytes of each id, which begin with the time of creation
--   idempotency:<owner>:<digest>  string  what an Idempotency-Key stands for: a job's id and 16 bytes of the body's hash;
--                                    while the body of a batch arrives, CREATING and the id
--   queue:<name>             stream  entries that wait: the job's id, its rows, and for batches the task
--   queue:<name>:retry       stream  entries of predictions whose worker was lost: each is claimed alone
--   queue:<name>:of:<owner>  stream  entries of the owner that wait for their turns, numbered by the rows before each
--   queue:<name>:numbered    hash    how many rows were put into each of these since it was empty
--   queue:<name>:turns       zset    owners with such entries, by the rows that they were given
--   queue:<name>:behind      string  how many such entries there are
--   queue:<name>:rows        string  how many rows wait in all of these streams
--   queue:<name>:wake_ups    zset    wake-ups that were sent or are being answered, by the time when they expire
--   queue:<name>:consumers   zset    consumers that are alive, by the time when they expire
--   queue:<name>:claim_rows  string  how many rows a consumer claims at once
--   queue:<name>:deadlines   zset    jobs that must start in time, by their deadline
--   queue:<name>:swept       string  when the queue was last swept; no worker sweeps again for a short time
--   kept:<owner>             hash    about how many bytes expire of the owner's jobs, by the minute
--   kept                     zset    owners of whose jobs something is kept, by the time when all of it has expired
--   rate:<owner>:<minute>    string  how many rows the owner has posted in this minute, where that is limited
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
local KEPT = 'kept'
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

local function whole(number) return string.format('%.0f', number) end
local function kept_key(owner) return 'kept:' .. owner end
local function rate_key(owner, minute) return 'rate:' .. owner .. ':' .. whole(minute) end
local function job_key(id) return 'job:' .. id end
local function list_key(kind, owner) return kind .. ':of:' .. owner end
local function idempotency_key(owner, digest) return digest ~= '' and 'idempotency:' .. owner .. ':' .. digest or '' end
local function stream_key(queue) return 'queue:' .. queue end
local function retry_key(queue) return 'queue:' .. queue .. ':retry' end
local function key_of(queue, part) return 'queue:' .. queue .. ':' .. part end
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

-- Kept bytes --------------------------------------------------------------------------------------------------------

local JOB_BYTES = 500  -- what the record and the list entry of a job take, without inputs, outputs and error

local function minute_of(time) return math.floor(time / 60000) end

-- Counts bytes of an owner that expire at this time, negative for those that are removed before it.
local function count_kept(owner, expires, bytes)
  local key = kept_key(owner)
  if redis.call('HINCRBY', key, whole(minute_of(expires)), bytes) ~= bytes then return end
  redis.call('PEXPIREAT', key, whole(expires + 60000))
  redis.call('ZREMRANGEBYSCORE', KEPT, '-inf', now_text)
  redis.call('ZADD', KEPT, whole(expires + 60000), owner)
end

-- Effects that wait for commit() ------------------------------------------------------------------------------------

local acknowledged = {}  -- stream -> entries
local messages = {}  -- channel -> messages
local counted = {}  -- metric -> times
local bytes_kept = {}  -- owner -> bytes of jobs that end, and when they expire

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
  for owner, its in pairs(bytes_kept) do count_kept(owner, its.expires, its.bytes) end
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

local function is_final(id) return redis.call('HEXISTS', job_key(id), 'finished') == 1 end

-- The fields that a script needs to end a job of any kind.
local function read_job(id)
  local seen = redis.call('HMGET', job_key(id), 'status', 'model', 'queue', 'attempt', 'started', 'watchers', 'deadline',
                          'idempotency', 'owner', 'webhook')
  return {status = seen[1], model = seen[2], queue = seen[3], attempt = seen[4], started = seen[5], watchers = seen[6],
          deadline = seen[7], idempotency = seen[8], owner = seen[9], webhook = seen[10]}
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
  count('dead_letters')
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

local DEADLINE_PASSED = '{"type":"deadline_passed","detail":"no worker started this job by its deadline"}'

-- Removes a job that has ended. `raw` is the 16 bytes of its id.
local function delete_job(kind, owner, id, raw)
  local key = job_key(id)
  local idempotency, expires, outputs, error = unpack(redis.call('HMGET', key, 'idempotency', 'expires', 'outputs', 'error'))
  count_kept(owner, expires, -(JOB_BYTES + #(outputs or '') + #(error or '')))
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

local MOST_JOBS = 256  -- in one claim, so that Redis is soon free again
local SHARE_IN_TURNS, MOST_JOBS_IN_TURNS = 8, 128  -- claims are smaller then, so that whoever comes next waits less
local MOST_ENTRIES = 4096  -- that one claim reads; some may be dropped
local FIRST_CLAIM_ROWS = 1  -- until a consumer has claimed

local states = {}  -- queue -> what state_of has read

-- How many `rows` wait in a queue in all, how many entries wait `behind`, how many rows a consumer claims, how many must wait
-- before others wait behind (`window`), and how many were ever added to its own stream (nil: that is not counted).
local function state_of(queue)
  if not states[queue] then
    local key = stream_key(queue)
    local rows, behind, claim_rows, added = unpack(redis.call('MGET', key .. ':rows', key .. ':behind', key .. ':claim_rows',
                                                              key .. ':added'))
    claim_rows = tonumber(claim_rows or FIRST_CLAIM_ROWS)
    states[queue] = {rows = math.max(tonumber(rows or 0), 0), behind = math.max(tonumber(behind or 0), 0),
                     claim_rows = claim_rows, window = math.min(claim_rows, MOST_JOBS), added = added and tonumber(added)}
  end
  return states[queue]
end

local function waiting(queue)
  return redis.call('XLEN', stream_key(queue)) + redis.call('XLEN', retry_key(queue)) + state_of(queue).behind
end

-- Changes the number of rows that wait. missing_wake_ups() resets the number whenever the queue is empty.
local function count_rows(queue, rows)
  local left = redis.call('INCRBY', rows_key(queue), rows)
  if states[queue] then states[queue].rows = left end
  return left
end

-- Turns -------------------------------------------------------------------------------------------------------------
-- While less than a claim's worth waits, entries go to the queue's own stream, first come, first served. What comes later
-- waits behind, in a stream of its owner. A claim that has emptied the queue's own stream fills it from those of the owners
-- in turns; whoever was given the fewest rows is next. So nobody waits for more than a few claims of another.

-- Whether a new entry must wait behind.
local function is_behind(queue)
  local state = state_of(queue)
  return state.behind > 0 or state.rows >= state.window
end

-- The number of an owner's first entry that waits behind (nil: none does), the number of the next entry that will, and how
-- many rows wait.
local function behind_of(queue, owner)
  local entry = redis.call('XRANGE', key_of(queue, 'of:' .. owner), '-', '+', 'COUNT', 1)[1]
  if not entry then return {next = 1, rows = 0} end
  local first, next = tonumber(string.match(entry[1], '^%d+')), redis.call('HGET', key_of(queue, 'numbered'), owner) + 1
  return {first = first, next = next, rows = next - first}
end

-- About how many rows are scored before an entry with so many rows of its owner before it.
local function rows_before(queue, rows)
  return math.min(state_of(queue).rows, rows * redis.call('ZCARD', key_of(queue, 'turns')) + state_of(queue).window)
end

-- Adds an entry that waits behind; `known` is what behind_of returns. Returns its number in the stream of its owner.
local function put_behind(queue, owner, known, id, rows, ...)
  local turns = key_of(queue, 'turns')
  local number = whole(known.next)
  redis.call('XADD', key_of(queue, 'of:' .. owner), number .. '-0', 'id', id, 'rows', rows, ...)
  redis.call('HINCRBY', key_of(queue, 'numbered'), owner, rows)
  if not known.first then
    -- After the owner who is next, or newcomers could keep that owner waiting for ever; before all who had a turn since.
    redis.call('ZADD', turns, 'NX', (redis.call('ZRANGE', turns, 0, 0, 'WITHSCORES')[2] or 0) + 0.5, owner)
  end
  state_of(queue).behind = redis.call('INCR', key_of(queue, 'behind'))
  return number
end

-- Removes entries from the stream of an owner, which has a turn no longer if it is empty then.
local function remove_behind(queue, owner, entries)
  local stream = key_of(queue, 'of:' .. owner)
  if #entries > 0 then
    local left = redis.call('DECRBY', key_of(queue, 'behind'), redis.call('XDEL', stream, unpack(entries)))
    if states[queue] then states[queue].behind = left end
  end
  if redis.call('XLEN', stream) > 0 then return true end
  redis.call('DEL', stream)
  redis.call('HDEL', key_of(queue, 'numbered'), owner)
  redis.call('ZREM', key_of(queue, 'turns'), owner)
end

local MOST_IN_A_TURN = 16  -- entries

-- Gives one owner a turn: moves its first entries, up to `most` or with about `rows` rows, to the queue's own stream.
-- Returns how many were moved, and their rows.
local function give_turn(queue, owner, rows, most)
  local added = redis.call('GET', key_of(queue, 'added'))
  local moved, given = {}, 0
  for _, entry in ipairs(redis.call('XRANGE', key_of(queue, 'of:' .. owner), '-', '+', 'COUNT', MOST_IN_A_TURN)) do
    if #moved == most or given >= rows then break end
    -- Numbered after all that were ever added to this stream, and before the next.
    redis.call('XADD', stream_key(queue), added and added .. '-*' or '*', unpack(entry[2]))
    moved[#moved + 1], given = entry[1], given + entry[2][4]
  end
  if remove_behind(queue, owner, moved) then redis.call('ZINCRBY', key_of(queue, 'turns'), given, owner) end
  return #moved, given
end

-- Moves entries that wait behind to the queue's own stream until it has `rows` rows or `most` entries more, the owners' in
-- turns. Returns whether it moved any.
local function take_turns(queue, rows, most)
  local moved, given = 0, 0
  while moved < most and given < rows do
    local owner = redis.call('ZRANGE', key_of(queue, 'turns'), 0, 0)[1]
    if not owner then break end
    local turn = math.min(math.ceil(rows / MOST_IN_A_TURN), rows - given)
    local entries, its_rows = give_turn(queue, owner, turn, most - moved)
    moved, given = moved + entries, given + its_rows
  end
  return moved > 0
end

-- Wake-ups and claims -----------------------------------------------------------------------------------------------

-- How many wake-ups are missing: one is wanted for each claim's worth of rows, at most one for each consumer that is alive.
local function missing_wake_ups(queue)
  if waiting(queue) == 0 then
    redis.call('DEL', rows_key(queue))
    return 0
  end
  drop_lapsed(wake_ups_key(queue), WAKE_UP_EXPIRES_MS)
  local state = state_of(queue)
  local consumers = count_live(consumers_key(queue), ALIVE_MS)
  local wanted = math.min(math.max(math.ceil(state.rows / state.claim_rows), 1), consumers)
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

local UNREADABLE = '{"type":"unreadable","detail":"the record of this job could not be read, so the job was given up"}'

-- Makes the function that passes an entry to `step`. Redis is not trusted: if the entry or its record cannot be read, this entry
-- alone is removed, and `give_up` ends its job if that is possible.
local function guarded(queue, step, give_up)
  return function(stream, entry, fields)
    local ok, result = pcall(step, stream, entry, fields)
    if ok then return result end
    acknowledge(stream, entry)
    count('swept|' .. queue .. '|unreadable')
    pcall(give_up, fields[2])
    return nil
  end
end

-- Claims entries for one consumer until they have `wanted` rows. First comes the entry that the consumer has read already
-- (`read`: the entry and its fields, or nil); without it, one entry of a lost worker, which is claimed alone, so that other
-- jobs are not lost with it; then the entries that wait, at last those behind, one more of which is left to whoever watches
-- the queue. `start(stream, entry, fields)` returns the claim, or nil to skip an
-- entry. With `last`, the wake-up is withdrawn if nothing was claimed.
local function claim(queue, consumer, wake_up_name, wanted, read, last, start)
  local claimed, rows, entries, rows_read = {}, 0, 0, 0

  local function begin(stream, entry, fields)
    local its_rows = math.max(tonumber(fields[4]) or 1, 1)
    entries, rows_read = entries + 1, rows_read + its_rows
    local job = start(stream, entry, fields)
    if job then claimed[#claimed + 1], rows = job, rows + its_rows end
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
  local function take_waiting()
    while rows < wanted and #claimed < MOST_JOBS and entries < MOST_ENTRIES and take(stream, next_number()) do end
  end

  redis.call('SET', claim_rows_key(queue), wanted)
  if read then
    -- The sweeper may have requeued the entry in the meantime.
    if #redis.call('XPENDING', stream, GROUP, read.entry, read.entry, 1, consumer) > 0 then
      begin(stream, read.entry, read.fields)
    end
  else
    while #claimed == 0 and take(retry_key(queue), 1) do end
  end
  local alone = #claimed > 0 and not read
  if not alone then take_waiting() end
  local left = rows_read > 0 and count_rows(queue, -rows_read) or tonumber(redis.call('GET', rows_key(queue)) or 0)
  if left > 0 and not alone and redis.call('EXISTS', key_of(queue, 'turns')) == 1 then
    local share, read_before = math.ceil(wanted / SHARE_IN_TURNS), rows_read
    while rows < share and #claimed < MOST_JOBS_IN_TURNS and entries < MOST_ENTRIES
      and take_turns(queue, share - rows, MOST_JOBS_IN_TURNS - #claimed) do
      take_waiting()
    end
    if rows_read > read_before then count_rows(queue, read_before - rows_read) end
    take_turns(queue, 1, 1)
  end
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

-- Passes each entry of the stream that was claimed longer ago than the lease to `requeue(stream, entry, fields)`.
local function sweep_stream(stream, lease_ms, most, requeue)
  local cursor, swept = '0-0', 0
  repeat
    local next_cursor, found = unpack(redis.call('XAUTOCLAIM', stream, GROUP, 'sweeper', lease_ms, cursor, 'COUNT', 100))
    cursor = next_cursor
    for _, item in ipairs(found) do requeue(stream, item[1], item[2]) end
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
    pcall(expire, id)  -- what is no job is dropped
    redis.call('ZREM', deadlines_key(queue), id)
  end
end
