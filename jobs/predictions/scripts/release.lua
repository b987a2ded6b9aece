-- Releases claimed predictions to another worker. Shortens the lease of each to a few seconds, after which the sweeper
-- requeues it. If this was the last attempt, the job fails with `reason`, which is JSON.
-- @include queues/common
-- @args lease_ms:number reason
-- @item stream entry id attempt
-- @returns nothing

local REST_MS = 4000

local function release(item)
  local status, attempt = unpack(redis.call('HMGET', job_key(item.id), 'status', 'attempt'))
  if status == 'running' and attempt == item.attempt then
    redis.call('HSET', job_key(item.id), 'reason', reason)
    -- No row has killed this worker; that one was being scored still says that the list goes on.
    if redis.call('HEXISTS', job_key(item.id), 'trying') == 1 then redis.call('HSET', job_key(item.id), 'trying', '') end
    redis.call('XCLAIM', item.stream, GROUP, 'released', 0, item.entry, 'IDLE', math.max(lease_ms - REST_MS, 0), 'JUSTID')
  end
end

for _, item in items() do pcall(release, item) end  -- a record that cannot be read is left to the sweeper
