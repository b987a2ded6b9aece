-- Claims predictions for one consumer, with about `rows` rows in all; first those whose entries the consumer has read from the
-- queue already, which are the items. With `last`, the wake-up is withdrawn if nothing is
-- claimed.
-- @include queues/claims predictions/prediction
-- @args queue consumer wake_up_name rows:number retention_ms:number last
-- @item entry id rows
-- @returns each: stream entry id attempt model sha inputs given_up traceparent

local read = {}
for number, item in items() do read[number] = {entry = item.entry, fields = {'id', item.id, 'rows', item.rows}} end
local claimed = claim(queue, consumer, wake_up_name, rows, read, last ~= '', true, starting(queue, retention_ms))
commit()
return claimed
