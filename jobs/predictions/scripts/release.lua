-- Releases claimed predictions to another worker. Shortens the lease of each to a few seconds, after which the sweeper
-- requeues it. If this was the last attempt, the job fails with `reason`, which is JSON. `held_ms` is that of record.lua.
-- @include predictions/prediction
-- @args lease_ms:number reason
-- @item stream entry id attempt held_ms
-- @returns nothing

local REST_MS = 4000

local function release(item)
  local job = read_job(item.id)
  if item.held_ms ~= '' and start_read(item.id, job, item.held_ms) then count_rows(QUEUE, -1) end
  if job.status == 'running' and job.attempt == item.attempt then
    redis.call('HSET', job_key(item.id), 'reason', reason)
    -- No row has killed this worker; that one was being scored still says that the list goes on.
    if redis.call('HEXISTS', job_key(item.id), 'trying') == 1 then redis.call('HSET', job_key(item.id), 'trying', '') end
    redis.call('XCLAIM', item.stream, GROUP, 'released', 0, item.entry, 'IDLE', math.max(lease_ms - REST_MS, 0), 'JUSTID')
  end
end

for _, item in items() do pcall(release, item) end  -- a record that cannot be read is left to the sweeper
commit()
