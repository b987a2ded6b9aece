-- Reads records. Where `watcher` is a channel, it is informed when a job ends that has not ended yet. Returns for each id
-- what read_record of its kind gives.
-- @include queues/common kind
-- @args watcher retention_ms:number
-- @item id
-- @returns records

local records = {}
for number, item in items() do
  local record = read_record(item.id, retention_ms)
  if watcher ~= '' and record[1] and not record[FINISHED] then watch(item.id, watcher) end
  records[number] = record
end
commit()
return records
