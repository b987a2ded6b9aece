-- What owners have used of their limits. Counts the rows `refused` of each towards its rate. `rows` were posted in this
-- minute; `kept` alternates minutes and the bytes that expire in each.
-- @include queues/common
-- @args
-- @item owner refused:number
-- @returns each: rows kept

local function kept_of(owner)
  local found, left = redis.call('HGETALL', kept_key(owner)), {}
  for at = 1, #found, 2 do
    if (whole_in(found[at]) or 0) >= minute_of(now) and whole_in(found[at + 1]) then
      left[#left + 1], left[#left + 2] = found[at], found[at + 1]
    else
      redis.call('HDEL', kept_key(owner), found[at])
    end
  end
  return left
end

local usages = {}
for number, item in items() do
  local key = rate_key(item.owner, minute_of(now))
  if item.refused > 0 then
    redis.pcall('INCRBY', key, item.refused)
    redis.call('PEXPIRE', key, 120000)
  end
  usages[number] = {whole_in(redis.call('GET', key)) or 0, kept_of(item.owner)}
end
return usages
