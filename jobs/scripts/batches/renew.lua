-- A child still works on a task. ARGV: child, bell, entry, id, bells of predictions. Its lease begins anew.
-- Returns {status of the batch, whether predictions are being scored}; nil if the task was given to another meanwhile.
local child, bell, entry = ARGV[1], ARGV[2], ARGV[3]
if #redis.call('XPENDING', LINE, GROUP, entry, entry, 1, child) == 0 then return false end
redis.call('XCLAIM', LINE, GROUP, child, 0, entry, 'JUSTID')
redis.call('ZADD', BELLS, whole(now + BELL_LAPSES), bell)
return {redis.call('HGET', key_of(ARGV[4]), 'status'), redis.call('ZCOUNT', ARGV[5], now_text, '+inf')}
