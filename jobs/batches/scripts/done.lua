-- Records that a chunk is done. `size` and `errors_size` are the bytes of its part of the results and of the errors, `expected`
-- the rows that planning counted, `bytes` those of the input. Returns 1 for the first record of the chunk, 0 for a repeated
-- one, and the wake-ups to send.
-- @include queues/wake_ups batches/batch
-- @args entry id chunk rows:number failed:number size errors_size expected:number bytes:number wake_up_name most_wake_ups:number
-- @returns counts wake_ups

local key = job_key(id)
local counts, sent = 0
local status, model = unpack(redis.call('HMGET', key, 'status', 'model'))
acknowledge(stream_key(QUEUE), entry)
if (status == 'running' or status == 'canceling') and redis.call('SREM', key .. ':in_queue', chunk) == 1 then
  local done = table.concat({rows, failed, size, errors_size, expected, bytes}, ' ')
  counts = redis.call('HSETNX', key .. ':done', chunk, done)
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
else
  sent = noted_before(QUEUE, wake_up_name, most_wake_ups)
end
commit()
return {counts, sent}
