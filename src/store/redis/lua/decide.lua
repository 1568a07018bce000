-- decide.lua: settles any number of requests, each over any number of buckets of one slot, atomically, on Redis TIME.
--
-- KEYS[1..k] the distinct buckets: <prefix>{<group>}<key>:<kind>, all in one slot
-- ARGV[1] the time to go by instead of Redis TIME (us), for tests; 0 in production
-- ARGV[2] added to every time to live (ms)
-- ARGV[3] p, the number of parameter sets; then six figures for each:
--           algorithm (0 token bucket, 1 fixed window, 2 sliding window), limit (tokens), window (us),
--           capacity (tokens), rate (ut/s), version
-- then, to the end, the requests:
--   request head = calls x 8 + charge of denials (0 none, 1 over, 2 all) x 2 + quota satisfied (0 or 1)
--   for each of its calls
--     call head = (key (0..k-1) x 16384 + parameter set (0..p-1)) x 16
--                 + role (0 hard, 1 quota, 2 shadow) + verdict to assume when it cannot be asked (0 or 1) x 4
--                 + undo (0 or 1) x 8
--     hits (tokens), or what to undo: the `taken` of an earlier reply
--     only for an undo: the `window` of that reply
-- Returns one string: for each call, in order, nine little-endian doubles:
--   status (0 denied, 1 allowed, 2 not asked: the key holds something else, or hits is no whole number), used before, used after, remaining (tokens),
--   reset (us), retry after (us), taken (ut of a token bucket, hits of a window), window (what an undo names),
--   reset without this call's take (us)
--
-- The arithmetic is that of src/bucket, operation by operation; tests hold both to the same cases.
-- Nothing is written before every request is settled, so a write that Redis refuses leaves no half of a settlement.

local UT, US, MAX_COUNT, RING = 1000000, 1000000, 4503599627370496, 33
local NEVER, IF_ALLOWED, ALWAYS = 0, 1, 2
local LONGEST_MS = 315360000000
local floor, ceil, min, max, huge = math.floor, math.ceil, math.min, math.max, math.huge
local pack, unpack_struct = struct.pack, struct.unpack

local function charges(charging, allowed)
  return charging == ALWAYS or (charging == IF_ALLOWED and allowed)
end

local function in_force(held, offered)
  if offered.version >= held.version then return offered end
  return held
end

-- Token bucket: state {tokens (ut), last (us), params}.

local token_bucket = { size = 36 }

function token_bucket.new(params, now)
  return { tokens = params.capacity * UT, last = now, params = params }
end

function token_bucket.read(packed, params)
  local tokens, last, capacity, rate, version = unpack_struct('<ddI4dd', packed)
  local held = { capacity = capacity, rate = rate, version = version }
  if capacity == params.capacity and rate == params.rate and version == params.version then held = params end
  return { tokens = tokens, last = last, params = held }
end

function token_bucket.write(state)
  local params = state.params
  return pack('<ddI4dd', state.tokens, state.last, params.capacity, params.rate, params.version)
end

local function refill_time(missing, rate)
  if missing <= 0 then return 0 end
  if rate == 0 then return huge end
  return ceil(missing * US / rate)
end

function token_bucket.unused(state)
  return state.tokens == state.params.capacity * UT
end

function token_bucket.forgettable_in(state, now)
  local params = state.params
  return refill_time(params.capacity * UT - state.tokens, params.rate)
end

function token_bucket.evaluate(state, offered, hits, now, charging, undo)
  local held = state.params
  local params = in_force(held, offered)
  local capacity, rate = params.capacity * UT, params.rate
  local ceiling = min(held.capacity * UT, capacity)
  local refill = max(0, now - state.last) * held.rate / US
  local whole = floor(refill)
  local before = min(ceiling, state.tokens + whole)

  local wanted = hits * UT
  if undo then wanted = -hits end
  local allowed = wanted <= 0 or before >= wanted
  local charged = charges(charging, allowed)
  local after = before
  if charged then after = max(0, min(capacity, before - wanted)) end

  local same = held == params or (held.version == params.version and held.capacity == params.capacity and held.rate == params.rate)
  if (charged and wanted ~= 0) or now < state.last or not same then
    state.tokens = after
    if before == ceiling or after == capacity or rate == 0 then
      state.last = now
    else
      state.last = now - floor((refill - whole) * US / rate)
    end
    state.changed = true
  end
  state.params = params

  local used = (capacity - before) / UT
  local used_after = (capacity - after) / UT
  if wanted > 0 and (charged or not allowed) then used_after = used + hits end
  local remaining, retry = 0, 0
  if allowed then
    remaining = floor(after / UT)
  elseif wanted > capacity then
    retry = huge
  else
    retry = refill_time(wanted - after, rate)
  end
  return allowed, used, used_after, remaining, refill_time(capacity - after, rate), retry,
    max(0, before - after), 0, refill_time(capacity - before, rate)
end

-- Fixed window: state {start (us), count, window (us), params}.

local fixed_window = { size = 28 }

function fixed_window.new(params, now)
  return { start = floor(now / params.window) * params.window, count = 0, window = params.window, params = params }
end

function fixed_window.read(packed, params)
  local start, count, limit, version = unpack_struct('<ddI4d', packed)
  return { start = start, count = count, window = params.window, params = { limit = limit, version = version } }
end

function fixed_window.write(state)
  return pack('<ddI4d', state.start, state.count, state.params.limit, state.params.version)
end

function fixed_window.unused(state)
  return state.count == 0
end

function fixed_window.forgettable_in(state, now)
  return state.start + state.window - now
end

function fixed_window.evaluate(state, offered, hits, now, charging, undo, undo_window)
  local held = state.params
  local params = in_force(held, offered)
  local limit, window = params.limit, state.window
  local start = floor(now / window) * window
  if state.start > start and state.start - now < window then start = state.start end
  local before = 0
  if start == state.start then before = state.count end
  if undo then hits = undo_window == start and -hits or 0 end

  local allowed = hits < 0 or before + hits <= limit
  local charged = charges(charging, allowed)
  local after = before
  if charged then after = max(0, min(MAX_COUNT, before + hits)) end
  if charged and hits ~= 0 then
    state.start, state.count, state.changed = start, after, true
  end
  if held.limit ~= params.limit or held.version ~= params.version then state.changed = true end
  state.params = params

  local reset = min(window, start + window - now)
  if allowed then
    return true, before, after, max(0, limit - after), reset, 0, max(0, after - before), start, reset
  end
  return false, before, before + hits, 0, reset, hits > limit and huge or reset, after - before, start, reset
end

-- Sliding window: state {newest (index), total, counts (by index), sub (us), params}.

local sliding_window = {}

function sliding_window.new(params)
  return { newest = -1, total = 0, counts = {}, sub = params.window / 32, params = params }
end

-- A byte of entry width, the limit, the version, the newest index; then for each sub-window that is not empty how far
-- it is behind the newest, and its count.
function sliding_window.read(packed, params)
  local wide, limit, version, newest, at = unpack_struct('<BI4dd', packed)
  local entry = wide == 1 and '<Bd' or '<BI4'
  local counts, total = {}, 0
  while at <= #packed do
    local behind, count
    behind, count, at = unpack_struct(entry, packed, at)
    counts[newest - behind] = count
    total = total + count
  end
  return { newest = newest, total = total, counts = counts, sub = params.window / 32, params = { limit = limit, version = version } }
end

function sliding_window.write(state)
  local entry, wide = '<BI4', 0
  if state.total > 4294967295 then entry, wide = '<Bd', 1 end
  local parts = { pack('<BI4dd', wide, state.params.limit, state.params.version, state.newest) }
  for behind = 0, 32 do
    local count = state.counts[state.newest - behind] or 0
    if count > 0 then parts[#parts + 1] = pack(entry, behind, count) end
  end
  return table.concat(parts)
end

function sliding_window.unused(state)
  return state.total == 0
end

function sliding_window.forgettable_in(state, now)
  if state.total == 0 then return 0 end
  return (state.newest + RING) * state.sub - now
end

local function live_total(state, index)
  local newest = state.newest
  if newest > index or index - newest > 32 then return 0 end
  local live = state.total
  for old = newest - 32, index - RING do live = live - (state.counts[old] or 0) end
  return live
end

local function drop_older(state, oldest, index)
  if state.newest > index or state.newest < oldest then
    state.counts, state.newest, state.total = {}, -1, 0
    return
  end
  for old = state.newest - 32, oldest - 1 do
    state.total = state.total - (state.counts[old] or 0)
    state.counts[old] = nil
  end
end

local function give_back(state, hits, from)
  local at = from or state.newest
  local left = min(hits, from and (state.counts[from] or 0) or state.total)
  state.total = state.total - left
  while left > 0 do
    local count = state.counts[at] or 0
    local given = min(left, count)
    state.counts[at] = count - given
    left = left - given
    at = at - 1
  end
  if state.total == 0 then
    state.counts, state.newest = {}, -1
  else
    while (state.counts[state.newest] or 0) == 0 do state.newest = state.newest - 1 end
  end
end

local function sliding_reset(state, total, now)
  if total == 0 then return 0 end
  return ceil((state.newest + RING) * state.sub - now)
end

local function room_in(state, index, hits, now)
  local left, old = hits, max(0, index - 32)
  while old < state.newest do
    left = left - (state.counts[old] or 0)
    if left <= 0 then break end
    old = old + 1
  end
  return ceil((old + RING) * state.sub - now)
end

function sliding_window.evaluate(state, offered, hits, now, charging, undo, undo_window)
  local held = state.params
  local params = in_force(held, offered)
  local limit = params.limit
  local clock_index = floor(now / state.sub)
  local index, from = clock_index, now
  if state.newest > clock_index and state.newest - clock_index <= 32 then
    index = state.newest
    from = index * state.sub
  end
  local before = live_total(state, index)
  local reset_before = sliding_reset(state, before, from)
  if undo then hits = -hits end

  local allowed = hits < 0 or before + hits <= limit
  local charged = charges(charging, allowed)
  if charged and hits ~= 0 then
    drop_older(state, index - 32, index)
    if hits < 0 then
      give_back(state, -hits, undo and undo_window or nil)
    else
      local added = min(hits, MAX_COUNT - state.total)
      if added > 0 then
        state.counts[index] = (state.counts[index] or 0) + added
        state.total = state.total + added
        state.newest = index
      end
    end
    state.changed = true
  end
  if held.limit ~= params.limit or held.version ~= params.version then state.changed = true end
  state.params = params

  local after = live_total(state, index)
  local reset = sliding_reset(state, after, from)
  if allowed then
    return true, before, after, max(0, limit - after), reset, 0, max(0, after - before), index, reset_before
  end
  local retry = hits > limit and huge or room_in(state, index, after + hits - limit, from)
  return false, before, before + hits, 0, reset, retry, after - before, index, reset_before
end

-- Buckets of this run.

local ALGORITHMS = { [0] = token_bucket, fixed_window, sliding_window }
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * US + time[2]
end
local states = {}

-- The state of a key; false when the key holds something else.
local function state_of(key, params)
  local state = states[key]
  if state ~= nil then return state end
  local algorithm = params.algorithm
  local packed = redis.pcall('GET', KEYS[key])
  if not packed then
    state = algorithm.new(params, now)
    state.fresh = true
  elseif type(packed) ~= 'string' or (algorithm.size and #packed ~= algorithm.size) then
    state = false
  else
    local readable, value = pcall(algorithm.read, packed, params)
    state = readable and value
  end
  states[key] = state
  return state
end

local function copy_of(state)
  local copy = {}
  for field, value in pairs(state) do copy[field] = value end
  if state.counts then
    copy.counts = {}
    for index, count in pairs(state.counts) do copy.counts[index] = count end
  end
  return copy
end

local function evaluate(call, charging)
  local state = call.hits % 1 == 0 and state_of(call.key, call.params)
  if not state then return 2 end
  local allowed, before, after, remaining, reset, retry, taken, window, reset_without =
    call.params.algorithm.evaluate(state, call.params, call.hits, now, charging, call.undo, call.window)
  return allowed and 1 or 0, before, after, remaining, reset, retry, taken, window, reset_without
end

local replies = {}

local function reply(at, status, before, after, remaining, reset, retry, taken, window, reset_without)
  replies[at] = pack('<ddddddddd', status, before or 0, after or 0, remaining or 0, reset or 0, retry or 0,
    taken or 0, window or 0, reset_without or 0)
  return status
end

-- Requests.

-- Whether a request passes, from the verdict of each call.
local function passes(calls, verdicts, quota_satisfied)
  local quota_calls, quota_allowed = 0, 0
  for i, call in ipairs(calls) do
    if call.role == 0 and not verdicts[i] then return false end
    if call.role == 1 then
      quota_calls = quota_calls + 1
      if verdicts[i] then quota_allowed = quota_allowed + 1 end
    end
  end
  return quota_calls == 0 or quota_satisfied or quota_allowed > 0
end

local function is_refund(call)
  return call.undo or call.hits < 0
end

-- Settles a request of several calls: judges each in order, and where one that was allowed must not be charged after
-- all, goes back and charges only the others.
local function settle(calls, first, charge_denied, quota_satisfied)
  local saved, verdicts, denied = {}, {}, false
  local judging = charge_denied == 0 and IF_ALLOWED or ALWAYS
  for i, call in ipairs(calls) do
    local state = call.hits % 1 == 0 and state_of(call.key, call.params)
    if state and saved[call.key] == nil then saved[call.key] = copy_of(state) end
    local status = reply(first + i, evaluate(call, is_refund(call) and ALWAYS or judging))
    verdicts[i] = status == 1 or (status == 2 and call.assume)
    denied = denied or not verdicts[i]
  end
  if charge_denied == 2 or not denied then return end
  if charge_denied == 0 and passes(calls, verdicts, quota_satisfied) then return end
  for key, state in pairs(saved) do states[key] = state end
  for i, call in ipairs(calls) do
    if is_refund(call) or (charge_denied == 1 and not verdicts[i]) then
      evaluate(call, ALWAYS)
    elseif verdicts[i] then
      reply(first + i, evaluate(call, NEVER))
    else
      evaluate(call, NEVER)
    end
  end
end

-- The arguments.

local expiry_extra = tonumber(ARGV[2])
local sets, at = {}, 4
for i = 0, tonumber(ARGV[3]) - 1 do
  sets[i] = {
    algorithm = ALGORITHMS[tonumber(ARGV[at])],
    limit = tonumber(ARGV[at + 1]),
    window = tonumber(ARGV[at + 2]),
    capacity = tonumber(ARGV[at + 3]),
    rate = tonumber(ARGV[at + 4]),
    version = tonumber(ARGV[at + 5]),
  }
  at = at + 6
end

local function read_call()
  local head = tonumber(ARGV[at])
  local flags = head % 16
  local place = (head - flags) / 16
  local set = place % 16384
  local call = {
    key = (place - set) / 16384 + 1,
    params = sets[set],
    role = flags % 4,
    assume = flags % 8 >= 4,
    undo = flags >= 8,
    hits = tonumber(ARGV[at + 1]),
  }
  at = at + 2
  if call.undo then
    call.window = tonumber(ARGV[at])
    at = at + 1
  end
  return call
end

local settled = 0
while at <= #ARGV do
  local head = tonumber(ARGV[at])
  local quota_satisfied = head % 2 == 1
  local charge_denied = (head % 8 - head % 2) / 2
  local count = (head - head % 8) / 8
  at = at + 1
  if count == 1 then
    local call = read_call()
    reply(settled + 1, evaluate(call, (charge_denied ~= 0 or is_refund(call)) and ALWAYS or IF_ALLOWED))
  else
    local calls = {}
    for i = 1, count do calls[i] = read_call() end
    settle(calls, settled, charge_denied, quota_satisfied)
  end
  settled = settled + count
end

-- Writes a state; one that is as a new bucket's is not created.
local function store(key, state)
  local algorithm = state.tokens and token_bucket or state.start and fixed_window or sliding_window
  if state.fresh and algorithm.unused(state) then return end
  local idle = max(0, algorithm.forgettable_in(state, now))
  local ttl = min(LONGEST_MS, ceil(idle / 1000) + 1 + expiry_extra)
  redis.call('SET', KEYS[key], algorithm.write(state), 'PX', string.format('%.0f', ttl))
end

for key, state in pairs(states) do
  if state and state.changed then store(key, state) end
end
return table.concat(replies)
