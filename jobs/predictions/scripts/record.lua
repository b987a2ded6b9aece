-- Records how claimed predictions ended. `outputs` and `error` are JSON, empty where there are none. Returns 1 for each that
-- was recorded, 0 where the attempt is not the current one or the job has ended: then nothing changed. `held_ms` is how long
-- ago the consumer read the entry, if it was claimed by that alone (empty: by a script).
-- @include predictions/prediction
-- @args retention_ms:number
-- @item stream entry id attempt status outputs error held_ms
-- @returns recorded

local started = 0

local function record(outcome)
  local job = read_job(outcome.id)
  if outcome.held_ms ~= '' and start_read(outcome.id, job, outcome.held_ms) then started = started + 1 end
  local current = job.status == 'running' and job.attempt == outcome.attempt
  if current then
    end_prediction(outcome.id, job, outcome.status, retention_ms, outcome.outputs, outcome.error)
    acknowledge(outcome.stream, outcome.entry)
  end
  return current
end

local recorded = {}
for number, outcome in items() do
  -- A record that cannot be read is left to the sweeper, which gives it up alone.
  local ok, current = pcall(record, outcome)
  recorded[number] = ok and current and 1 or 0
end
if started > 0 then
  count_rows(QUEUE, -started)
  if redis.call('EXISTS', key_of(QUEUE, 'turns')) == 1 then take_turns(QUEUE, 1, 1, true) end
end
commit()
return recorded
