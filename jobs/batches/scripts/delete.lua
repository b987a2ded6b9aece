-- Removes a batch that has ended, and soon its files. `raw` is the 16 bytes of its id. Returns its status, nil for an
-- unknown id.
-- @include batches/batch
-- @args id raw retention_ms:number
-- @returns status

local record = read_current(id, retention_ms)
commit()
if record[FINISHED] then
  delete_job(KIND, record[5], id, raw)
  redis.call('DEL', job_key(id) .. ':plan', job_key(id) .. ':done', job_key(id) .. ':files')
  remove_files_at(now_text, id, record[5])
end
return record[2]
