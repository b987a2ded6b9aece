-- How things stand. KEYS: line. Returns {now, jobs that wait, rows of theirs, jobs that are claimed, ids of the oldest
-- in each stream that waits (or nil), web processes that live and what each says of itself, by turns; children, and
-- threads that explain, likewise}.

local line = KEYS[1]
local claimed, oldest = 0, {}

for i, stream in ipairs({line, again(line), explained(line), again(explained(line))}) do
  local its_claimed, entry = standing(stream)
  claimed = claimed + its_claimed
  oldest[i] = entry and entry[2][2] or false
end

local rows = (redis.call('GET', rows_of(line)) or 0) + (redis.call('GET', rows_of(explained(line))) or 0)
return {now_text, waiting_in_both(line) - claimed, rows, claimed, oldest[1], oldest[2], oldest[3], oldest[4],
        alive(WEBS), alive(CHILDREN), alive(EXPLAINERS)}
