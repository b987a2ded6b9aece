-- What waits in a queue, and the turns of owners. While less than a claim's worth waits, entries go to the queue's own stream,
-- first come, first served. What comes later waits behind, in a stream of its owner. A claim that has emptied the queue's own
-- stream fills it from those of the owners in turns; whoever was given the fewest rows is next. So nobody waits for more than
-- a few claims of another.
-- @include queues/common

local MOST_JOBS = 256  -- in one claim, so that Redis is soon free again
local FIRST_CLAIM_ROWS = 1  -- until a consumer has claimed
local MOST_IN_A_TURN = 16  -- entries

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
