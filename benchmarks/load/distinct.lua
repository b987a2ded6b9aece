-- Sends bodies that all differ, and looks at every answer.
-- Arguments: status, Prefer ("" for none), text in a right answer, first number, rows, text before, between, after the rows'
-- numbers, and how many requests a second at most (0: as many as the server answers).

-- 1.0000000 to 9.9999999: always nine characters, so that Content-Length stays.
local RANGE = 90000000
local LISTED_ROWS = 200000

local ffi = require('ffi')
ffi.cdef('typedef struct {long sec, nsec;} moment; int clock_gettime(int clock, moment *now);')
local MONOTONIC = 1
local moment = ffi.new('moment')

local threads = {}

function setup(thread)
  threads[#threads + 1] = thread
end

-- The stride shares no factor with the range: no number comes twice, and neighbours lie far apart.
local function number(n)
  return string.format("%.7f", 1 + n * 7654321 % RANGE / 1e7)
end

local function take()
  local value = number(counter)
  counter = counter + 1
  return value
end

-- The rows after the first, made once: at 1,000 rows wrk would otherwise eat the processor it shares.
local function tail(rows, between, after)
  local parts = {}
  for row = 2, rows do
    parts[row - 1] = between .. take()
  end
  return table.concat(parts) .. after
end

local function milliseconds()
  ffi.C.clock_gettime(MONOTONIC, moment)
  return tonumber(moment.sec) * 1e3 + tonumber(moment.nsec) / 1e6
end

-- What a connection waits before its next request, so that all connections together keep to the pace. What was late is made up
-- for, if it was not too late.
local function delay_for(pace)
  local due, latest = 0, 100
  return function()
    local now = milliseconds()
    due = math.max(due + 1e3 / pace, now - latest)
    return math.max(due - now, 0)
  end
end

function init(args)
  wrong = 0
  expected, answer, counter = tonumber(args[1]), args[3], tonumber(args[4])
  local rows, before, between, after = tonumber(args[5]), args[6], args[7], args[8]
  if tonumber(args[9]) > 0 then
    delay = delay_for(tonumber(args[9]))
  end
  tails = {}
  for list = 1, rows > 1 and LISTED_ROWS / rows or 1 do
    tails[list] = tail(rows, between, after)
  end
  if args[2] ~= "" then
    wrk.headers["Prefer"] = args[2]
  end
  wrk.headers["Content-Type"] = "application/json"
  local body = before .. number(0) .. tails[1]
  local whole = wrk.format("POST", nil, nil, body)
  head = whole:sub(1, #whole - #body) .. before
end

function request()
  return head .. take() .. tails[counter % #tails + 1]
end

function response(status, headers, body)
  if status ~= expected or not body:find(answer, 1, true) then
    wrong = wrong + 1
  end
end

function done(summary, latency, requests)
  local wrong_answers = 0
  for _, thread in ipairs(threads) do
    wrong_answers = wrong_answers + thread:get("wrong")
  end
  local errors = summary.errors
  print(string.format(
    '{"requests":%d,"seconds":%f,"p50":%f,"p99":%f,"wrong":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    wrong_answers, errors.connect, errors.read, errors.write, errors.timeout))
end
