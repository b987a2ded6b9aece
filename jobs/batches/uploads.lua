-- Uploads: files that callers put into the file store, before the batches that score them.
--
--   upload:<id>        string  the record (jobs/batches/upload.py); it expires by itself
--   uploads:<owner>    zset    the owner's uploads that no batch has used, by the time when they expire

local function upload_key(id) return 'upload:' .. id end
local function uploads_key(owner) return 'uploads:' .. owner end
