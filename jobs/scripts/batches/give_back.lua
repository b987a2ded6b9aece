-- Leaves a task to another child, at once: this one is to stop. It does not count as taken. ARGV: entry, id, task.
local entry, id, task = ARGV[1], ARGV[2], ARGV[3]
if redis.call('XACK', LINE, GROUP, entry) == 0 then return end
redis.call('XDEL', LINE, entry)
redis.call('HINCRBY', key_of(id) .. ':tries', task, -1)
redis.call('HDEL', key_of(id) .. ':trials', task .. ' trying')
add_task(id, task)
