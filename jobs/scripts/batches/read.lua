-- Reads records. ARGV: ms kept, ids. Returns for each id what read_record gives.
local records = {}
for i = 2, #ARGV do records[i - 1] = read_record(ARGV[i], tonumber(ARGV[1])) end
return records
