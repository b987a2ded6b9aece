-- Removes a prediction that has ended. `raw` is the 16 bytes of its id. Returns its status, nil for an unknown id.
-- @include predictions/prediction
-- @args id raw retention_ms:number
-- @returns status

local record = read_current(id, retention_ms)
commit()
if record[FINISHED] then delete_job(KIND, record[5], id, raw) end
return record[2]
