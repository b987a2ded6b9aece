-- Records how claimed predictions ended. `outputs` and `error` are JSON, empty where there are none. Returns 1 for each that
-- was recorded, 0 where the attempt is not the current one or the job has ended: then nothing changed.
-- @include predictions/prediction
-- @args retention_ms:number
-- @item stream entry id attempt status outputs error
-- @returns recorded

local function record(outcome)
  local job = read_job(outcome.id)
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
commit()
return recorded
