-- Returns a task to the queue at once, because its consumer does not go on with it. This does not count as a try, even if
-- another consumer has the task by now: this one lives. A task of a batch that has ended is dropped.
-- @include batches/batch
-- @args entry id task
-- @returns nothing

release(id, task, entry)
