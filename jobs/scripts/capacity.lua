-- How things stand. KEYS: line. Returns {now, jobs that wait, rows of theirs, jobs that are claimed, ids of the oldest
-- in each stream that waits (or nil), web processes that live and what each says of itself, by turns; and children}.

local line = KEYS[1]
local claimed, oldest = 0, {}

for i, stream in ipairs({line, again(line), explained(line), again(explained(line))}) do
  local found = redis.pcall('XINFO', 'GROUPS', stream)
  local first = '-'
  for _, group in ipairs(found.err and {} or found) do
    local facts = {}
    for at = 1, #group, 2 do facts[group[at]] = group[at + 1] end
    claimed = claimed + facts['pending']
    first = '(' .. facts['last-delivered-id']
  end
  local entry = redis.call('XRANGE', stream, first, '+', 'COUNT', 1)[1]
  oldest[i] = entry and entry[2][2] or false
end

local function alive(set)
  local said = {}
  for _, process in ipairs(redis.call('ZRANGEBYSCORE', set, now_text, '+inf')) do
    said[#said + 1] = process
    said[#said + 1] = redis.call('HGET', PROCESSES, process) or ''
  end
  return said
end

local rows = (redis.call('GET', rows_of(line)) or 0) + (redis.call('GET', rows_of(explained(line))) or 0)
return {now_text, waiting_in_both(line) - claimed, rows, claimed, oldest[1], oldest[2], oldest[3], oldest[4],
        alive(WEBS), alive(CHILDREN)}
