-- Reads records. If `watcher` is not empty, that channel gets a message when one of these jobs ends later. Returns what
-- read_current of the kind returns for each id; UNREADABLE_RECORD for a record that cannot be read, so that the others are.
-- @include kind
-- @args watcher retention_ms:number
-- @item id
-- @returns records

local records = {}
for number, item in items() do
  local ok, record = pcall(read_current, item.id, retention_ms)
  if not ok then record = UNREADABLE_RECORD end
  if ok and watcher ~= '' and record[1] and not record[FINISHED] then watch(item.id, watcher) end
  records[number] = record
end
commit()
return records
