-- Records that a chunk is done. `expected` is the number of rows that planning counted in it. Returns 1 for the first record
-- of the chunk, 0 for a repeated one, and the wake-ups to send.
-- @include queues/common batches/batch
-- @args entry id chunk rows:number failed:number bytes:number expected:number wake_up_name most_wake_ups:number
-- @returns counts wake_ups

local key = job_key(id)
local counts, sent = 0, {}
local status, model = unpack(redis.call('HMGET', key, 'status', 'model'))
acknowledge(stream_key(QUEUE), entry)
if (status == 'running' or status == 'canceling') and redis.call('SREM', key .. ':in_queue', chunk) == 1 then
  counts = redis.call('HSETNX', key .. ':done', chunk, rows .. ' ' .. failed)
  if counts == 1 then
    redis.call('HINCRBY', key, 'rows', rows)
    redis.call('HINCRBY', key, 'failed', failed)
    redis.call('HINCRBY', key, 'bytes', bytes)
    redis.call('HINCRBY', key, 'total', rows - expected)
    count('batch_rows|' .. model .. '|succeeded', rows - failed)
    count('batch_rows|' .. model .. '|failed', failed)
  end
  advance(id)
  sent = wake_up(QUEUE, wake_up_name, most_wake_ups)
end
commit()
return {counts, sent}
