-- What waits in a queue, and the turns of owners. While less than a claim's worth waits, entries go to the queue's own stream,
-- first come, first served. What comes later waits behind, in a stream of its owner. A claim that has emptied the queue's own
-- stream fills it from those of the owners in turns. Whose next entry would bring its owner the fewest rows is next, counted
-- from what all others had been given when the owner began to wait (self-clocked fair queueing: S. J. Golestani, 1994). So
-- nobody waits for more than a few claims of another. A few rows of an owner who has nothing else behind do not even wait for
-- their turn: they come first, one job of each owner at a time, and are served between two blocks of a list.
-- @include queues/common

local MOST_JOBS = 256  -- in one claim, so that Redis is soon free again
local FIRST_CLAIM_ROWS = 1  -- until a consumer has claimed
local MOST_IN_A_TURN = 16  -- entries
local MOST_FIRST = 16  -- entries that come first
local MOST_FIRST_ROWS = 16  -- of each
local MOST_FIELDS = 6  -- names and values of an entry
local CROWDED_MS = 2000  -- since an owner began to wait beside another

local states = {}  -- queue -> what state_of has read

-- How many `rows` wait in a queue in all, how many entries wait `behind`, how many rows a consumer claims, how many must wait
-- before others wait behind (`window`), and how many were ever added to its own stream (nil: that is not counted).
local function state_of(queue)
  if not states[queue] then
    local key = stream_key(queue)
    local rows, behind, claim_rows, added = unpack(redis.call('MGET', key .. ':rows', key .. ':behind', key .. ':claim_rows',
                                                              key .. ':added'))
    claim_rows = math.max(whole_in(claim_rows) or FIRST_CLAIM_ROWS, FIRST_CLAIM_ROWS)
    states[queue] = {rows = math.max(whole_in(rows) or 0, 0), behind = math.max(whole_in(behind) or 0, 0),
                     claim_rows = claim_rows, window = math.min(claim_rows, MOST_JOBS), added = whole_in(added)}
  end
  return states[queue]
end

-- How many entries are in the streams of a queue, whether claimed or not, and behind.
local function waiting(queue)
  local entries = state_of(queue).behind
  for _, stream in ipairs(streams_of(queue)) do entries = entries + redis.call('XLEN', stream) end
  return entries
end

-- Changes the number of rows that wait. wake_up() resets the number whenever the queue is empty.
local function count_rows(queue, rows)
  local left = redis.call('INCRBY', rows_key(queue), rows)
  if states[queue] then states[queue].rows = left end
  return left
end

-- Whether a new entry must wait behind.
local function is_behind(queue)
  local state = state_of(queue)
  return state.behind > 0 or state.rows >= state.window
end

local function number_of(entry) return tonumber(string.match(entry[1], '^%d+')) end

-- The number of an owner's first entry that waits behind (nil: none does), the number of the next entry that will, and how
-- many rows wait.
local function behind_of(queue, owner)
  local stream = key_of(queue, 'of:' .. owner)
  local entry = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  if not entry then return {next = 1, rows = 0} end
  local first, numbered = number_of(entry), whole_in(redis.call('HGET', key_of(queue, 'numbered'), owner))
  if not numbered then
    local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
    numbered = number_of(last) + rows_in(last[2]) - 1
    redis.call('HSET', key_of(queue, 'numbered'), owner, whole(numbered))
  end
  return {first = first, next = numbered + 1, rows = numbered + 1 - first}
end

-- About how many rows are scored before an entry with so many rows of its owner before it.
local function rows_before(queue, rows)
  return math.min(state_of(queue).rows, rows * redis.call('ZCARD', key_of(queue, 'turns')) + state_of(queue).window)
end

-- Whether a new entry that would wait behind comes first, as the only one of its owner; `known` is what behind_of returns.
local function comes_first(queue, owner, known, rows)
  if known.first or rows > MOST_FIRST_ROWS or state_of(queue).behind == 0 then return false end
  local entries = redis.call('XRANGE', first_key(queue), '-', '+', 'COUNT', MOST_FIRST)
  for _, entry in ipairs(entries) do
    if entry[2][6] == owner then return false end
  end
  return #entries < MOST_FIRST
end

-- Adds an entry that waits behind; `known` is what behind_of returns. Returns its number in the stream of its owner.
local function put_behind(queue, owner, known, id, rows, ...)
  local number = whole(known.next)
  redis.call('XADD', key_of(queue, 'of:' .. owner), number .. '-0', 'id', id, 'rows', rows, ...)
  redis.call('HINCRBY', key_of(queue, 'numbered'), owner, rows)
  if not known.first then
    local turns = key_of(queue, 'turns')
    local due = (tonumber(redis.call('GET', key_of(queue, 'given'))) or 0) + rows
    if redis.call('EXISTS', turns) == 1 then
      due = due - 0.5  -- before an owner who would be due at the same time
      redis.call('SET', key_of(queue, 'crowded'), 1, 'PX', CROWDED_MS)
    end
    redis.call('ZADD', turns, due, owner)
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

-- Gives one owner, whose turn is due, a turn: moves its first entries, up to `most` or with about `rows` rows, to the queue's
-- own stream. What is larger than `room` rows is moved only as the first, and if `at_least_one`. An entry that cannot be read is
-- moved, too: the claim that takes it gives it up alone. Returns how many were moved, and their rows.
local function give_turn(queue, owner, due, rows, room, most, at_least_one)
  local added = redis.call('GET', key_of(queue, 'added'))
  local entries = redis.call('XRANGE', key_of(queue, 'of:' .. owner), '-', '+', 'COUNT', MOST_IN_A_TURN + 1)
  if #entries == 0 then remove_behind(queue, owner, {}) end
  local moved, given = {}, 0
  for number = 1, math.min(#entries, most, MOST_IN_A_TURN) do
    local entry, fields = unpack(entries[number])
    local fits = given + rows_in(fields) <= room or (at_least_one and number == 1)
    if given >= rows or not fits then break end
    -- Numbered after all that were ever added to this stream, and before the next.
    redis.call('XADD', stream_key(queue), added and added .. '-*' or '*', unpack(fields, 1, math.min(#fields, MOST_FIELDS)))
    moved[number], given = entry, given + rows_in(fields)
  end
  if #moved == 0 then return 0, 0 end
  local given_in_all = due - rows_in(entries[1][2]) + given
  redis.call('SET', key_of(queue, 'given'), given_in_all)
  if remove_behind(queue, owner, moved) then
    redis.call('ZADD', key_of(queue, 'turns'), given_in_all + rows_in(entries[#moved + 1][2]), owner)
  end
  return #moved, given
end

-- Moves entries that wait behind to the queue's own stream, the owners' in turns, while these have no more than `rows` rows and
-- `most` entries; with `at_least_one`, one may have more rows. Returns whether it moved any.
local function take_turns(queue, rows, most, at_least_one)
  local moved, given = 0, 0
  while moved < most and given < rows do
    local owner, due = unpack(redis.call('ZRANGE', key_of(queue, 'turns'), 0, 0, 'WITHSCORES'))
    if not owner then break end
    local turn, room = math.ceil(rows / MOST_IN_A_TURN), rows - given
    local entries, its_rows = give_turn(queue, owner, tonumber(due), turn, room, most - moved, at_least_one and moved == 0)
    if entries == 0 then break end
    moved, given = moved + entries, given + its_rows
  end
  return moved > 0
end
