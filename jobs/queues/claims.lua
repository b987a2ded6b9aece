-- Claims: how a consumer gets the entries that it works on.
-- @include queues/turns

-- Claims are smaller in turns, so that whoever comes next waits less; the more so while several owners wait.
local SHARE_IN_TURNS, MOST_JOBS_IN_TURNS = 8, 128
local CROWDED_SHARE, MOST_JOBS_IN_CROWD = 128, 16
local MOST_ENTRIES = 4096  -- that one claim reads; some may be dropped
local ANSWER_EXPIRES_MS = 2000  -- a consumer that neither claims again nor withdraws its wake-up counts as lost

-- How many rows, and how many jobs, a claim takes of those behind.
local function share_in_turns(queue, wanted)
  if redis.call('EXISTS', key_of(queue, 'crowded')) == 1 then return math.ceil(wanted / CROWDED_SHARE), MOST_JOBS_IN_CROWD end
  return math.ceil(wanted / SHARE_IN_TURNS), MOST_JOBS_IN_TURNS
end

-- Claims entries for one consumer until they have `wanted` rows. First come the entries that the consumer has read already
-- (`read`: each with its fields); without any, one entry of a lost worker, which is claimed alone, so that other jobs are not
-- lost with it; or what comes before those that wait, without these. Then the entries that wait, at last those behind, one more
-- of which is left to whoever watches the queue: to other consumers, and to this one if it `watches` after a single row, instead
-- of claiming again.
-- `start(stream, entry, fields)` returns the claim, or nil to skip an entry. With `last`, the wake-up is withdrawn if nothing
-- was claimed.
local function claim(queue, consumer, wake_up_name, wanted, read, last, watches, start)
  local claimed, rows, entries, rows_read = {}, 0, 0, 0

  local function begin(stream, entry, fields)
    local its_rows = rows_in(fields)
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
  for _, its in ipairs(read) do
    -- The sweeper may have requeued the entry in the meantime.
    if #redis.call('XPENDING', stream, GROUP, its.entry, its.entry, 1, consumer) > 0 then begin(stream, its.entry, its.fields) end
  end
  if #read == 0 then
    while #claimed == 0 and take(retry_key(queue), 1) do end
  end
  local alone = #claimed > 0 and #read == 0
  if not alone and #read == 0 and redis.call('XLEN', first_key(queue)) > 0 then take(first_key(queue), MOST_FIRST) end
  local before_others = #claimed > 0 and #read == 0
  if not before_others then take_waiting() end
  local left = rows_read > 0 and count_rows(queue, -rows_read) or whole_in(redis.call('GET', rows_key(queue))) or 0
  if left > 0 and not alone and redis.call('EXISTS', key_of(queue, 'turns')) == 1 then
    local share, most = share_in_turns(queue, wanted)
    local read_before = rows_read
    while not before_others and rows < share and #claimed < most and entries < MOST_ENTRIES
      and take_turns(queue, share - rows, most - #claimed, #claimed == 0) do
      take_waiting()
    end
    if rows_read > read_before then count_rows(queue, read_before - rows_read) end
    local is_watched = (watches and rows <= 1) or count_live(consumers_key(queue), ALIVE_MS) > 1
    if is_watched then take_turns(queue, 1, 1, true) end
  end
  if last and #claimed == 0 then
    redis.call('ZREM', wake_ups_key(queue), wake_up_name)
  elseif wake_up_name ~= '' then
    -- One that finds nothing goes on watching the queue, too.
    local how = #claimed > 0 and 'CH' or 'XX'
    redis.call('ZADD', wake_ups_key(queue), how, whole(now + ANSWER_EXPIRES_MS), wake_up_name)
  end
  return claimed
end

-- Claims what comes first, for a consumer that is in the middle of a large list.
local function claim_first(queue, consumer, start)
  local claimed, stream = {}, first_key(queue)
  if redis.call('XLEN', stream) == 0 then return claimed end
  local found = redis.call('XREADGROUP', 'GROUP', GROUP, consumer, 'COUNT', MOST_FIRST, 'STREAMS', stream, '>')
  for _, item in ipairs(found and found[1][2] or {}) do
    count_rows(queue, -rows_in(item[2]))
    claimed[#claimed + 1] = start(stream, item[1], item[2])
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
