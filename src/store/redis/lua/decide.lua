-- decide.lua: settles any number of requests, each over any number of buckets of one slot, atomically, on Redis TIME.
--
-- KEYS[1..k] the distinct buckets: <prefix>{<group>}/<key>:<kind>, all in one slot
-- ARGV[1] everything else, as little-endian doubles in a row, which cost less to read than arguments of their own:
--   the time to go by instead of Redis TIME (us), for tests; 0 in production
--   added to every time to live (ms)
--   p, the number of parameter sets; then six figures for each:
--     algorithm (0 token bucket, 1 fixed window, 2 sliding window), limit (tokens), window (us),
--     capacity (tokens), rate (ut/s), version
--   then, to the end, the requests:
--     request head = calls x 8 + charge of denials (0 none, 1 over, 2 all) x 2 + quota satisfied (0 or 1)
--     for each of its calls
--       call head = (key (0..k-1) x 16384 + parameter set (0..p-1)) x 16
--                   + role (0 hard, 1 quota, 2 shadow) + verdict to assume when it cannot be asked (0 or 1) x 4
--                   + undo (0 or 1) x 8
--       hits (tokens), or what to undo: the `taken` of an earlier reply
--       only for an undo: the `window` of that reply
--     or, with a request head of 0, a lease on one bucket (src/core/leases.ts says what each is)
--       call head, as above
--       key of its ledger (0..k-1), holder, sequence, window, held, back, recorded, wanted (tokens), keep (us), epsilon,
--       confirmed sequence
-- Returns one string: for each call, in order, nine little-endian doubles:
--   status (0 denied, 1 allowed, 2 not asked: the key holds something else, or hits is no whole number),
--   used before, used after, remaining (tokens), reset (us), retry after (us), taken (ut of a token bucket, hits of a
--   window), window (what an undo names), reset without this call's take (us)
-- and for a lease the nine: status (0 overtaken, 1 settled, 2 not asked: the key holds something else), granted,
--   accepted, remaining, (tokens) reset (us), outstanding, forgotten (tokens), window, missing (tokens)
--
-- Redis runs all of this text for every call of the script, and making a function costs it about as much as calling one:
-- what a run does not need (an algorithm, the settlement of several calls) is made only when it is needed.
-- Nothing is written before every request is settled, so a write that Redis refuses leaves no half of a settlement.

-- The arguments.

local asked, unpack_doubles, pack_doubles, KEYS, pcall = ARGV[1], struct.unpack, struct.pack, KEYS, redis.pcall
local now, expiry_extra, set_count, at = unpack_doubles('<ddd', asked)
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * US + time[2]
end

local algorithms, sets = {}, {}
for i = 0, set_count - 1 do
  local kind, limit, window, capacity, rate, version, after = unpack_doubles('<dddddd', asked, at)
  if not algorithms[kind] then
    algorithms[kind] = (kind == 0 and define_token_bucket or kind == 1 and define_fixed_window or define_sliding_window)()
  end
  sets[i] = {
    algorithm = algorithms[kind],
    limit = limit,
    window = window,
    capacity = capacity,
    rate = rate,
    version = version,
  }
  at = after
end

-- Buckets of this run, and what each call got.

local states, algorithm_of, replies = {}, {}, {}

-- The state that a call is about; false when the call cannot be asked.
local function state_for(key, params, hits)
  if hits % 1 ~= 0 then return false end
  local state = states[key]
  if state ~= nil then return state end
  local algorithm = params.algorithm
  local packed = pcall('GET', KEYS[key])
  if not packed then
    state = algorithm.new(params, now)
  else
    state = type(packed) == 'string' and algorithm.read(packed, params) or false
  end
  states[key], algorithm_of[key] = state, algorithm
  return state
end

-- Evaluates a call; writes its reply to a place unless that is nil. Returns the status.
local function evaluate(key, params, hits, charging, undo, undo_window, place)
  local state = state_for(key, params, hits)
  if not state then
    if place then replies[place] = pack_doubles('<ddddddddd', 2, 0, 0, 0, 0, 0, 0, 0, 0) end
    return 2
  end
  local allowed, used, used_after, remaining, reset, retry, taken, window, reset_without =
    params.algorithm.evaluate(state, params, hits, now, charging, undo, undo_window)
  local status = allowed and 1 or 0
  if place then
    replies[place] =
      pack_doubles('<ddddddddd', status, used, used_after, remaining, reset, retry, taken, window, reset_without)
  end
  return status
end

-- Settles a request of several calls: judges each in order, and where one that was allowed must not be charged after
-- all, goes back and charges only the others.
local function settle_several(count, charge_denied, quota_satisfied, first)
  local function read_call()
    local head, hits
    head, hits, at = unpack_doubles('<dd', asked, at)
    local flags = head % 16
    local place = (head - flags) / 16
    local set = place % 16384
    local call = {
      key = (place - set) / 16384 + 1,
      params = sets[set],
      role = flags % 4,
      assume = flags % 8 >= 4,
      undo = flags >= 8,
      hits = hits,
    }
    if call.undo then call.window, at = unpack_doubles('<d', asked, at) end
    return call
  end

  local function evaluate_call(call, charging, place)
    return evaluate(call.key, call.params, call.hits, charging, call.undo, call.window, place)
  end

  local function copy_of(state)
    local copy = {}
    for field, value in pairs(state) do copy[field] = value end
    if state.counts then
      copy.counts = {}
      for index, hits in pairs(state.counts) do copy.counts[index] = hits end
    end
    return copy
  end

  local calls, saved, verdicts, denied = {}, {}, {}, false
  local judging = charge_denied == 0 and IF_ALLOWED or ALWAYS
  local hard_denied, quota_calls, quota_allowed = false, 0, 0
  for i = 1, count do
    local call = read_call()
    calls[i] = call
    call.refund = call.undo or call.hits < 0
    local state = state_for(call.key, call.params, call.hits)
    if state and not saved[call.key] then saved[call.key] = copy_of(state) end
    local status = evaluate_call(call, call.refund and ALWAYS or judging, first + i)
    local verdict = status == 1 or (status == 2 and call.assume)
    verdicts[i] = verdict
    denied = denied or not verdict
    hard_denied = hard_denied or (call.role == 0 and not verdict)
    if call.role == 1 then
      quota_calls = quota_calls + 1
      if verdict then quota_allowed = quota_allowed + 1 end
    end
  end

  if charge_denied == 2 or not denied then return end
  local passes = not hard_denied and (quota_calls == 0 or quota_satisfied or quota_allowed > 0)
  if charge_denied == 0 and passes then return end
  for key, state in pairs(saved) do states[key] = state end
  for i, call in ipairs(calls) do
    if call.refund or (charge_denied == 1 and not verdicts[i]) then
      evaluate_call(call, ALWAYS)
    else
      evaluate_call(call, NEVER, verdicts[i] and first + i or nil)
    end
  end
end

local last, settled, leases = #asked, 0, nil
while at <= last do
  -- Whatever is asked has three figures at least.
  local head, call_head, hits, after = unpack_doubles('<ddd', asked, at)
  local count = (head - head % 8) / 8
  if count == 0 then
    leases = leases or define_lease(now, asked, sets, state_for)
    replies[settled + 1], at = leases.settle(at + 8)
    count = 1
  elseif count == 1 then
    local flags = call_head % 16
    local place = (call_head - flags) / 16
    local set = place % 16384
    local undo, window = flags >= 8, nil
    at = after
    if undo then window, at = unpack_doubles('<d', asked, at) end
    local always = undo or hits < 0 or head % 8 >= 2
    evaluate((place - set) / 16384 + 1, sets[set], hits, always and ALWAYS or IF_ALLOWED, undo, window, settled + 1)
  else
    at = at + 8
    settle_several(count, (head % 8 - head % 2) / 2, head % 2 == 1, settled)
  end
  settled = settled + count
end

-- Ten years: nothing is kept longer.
local LONGEST_MS = 315360000000
for key, state in pairs(states) do
  local algorithm = algorithm_of[key]
  -- A bucket that is as a new one would be is not created.
  if state and state.changed and not (state.fresh and algorithm.unused(state)) then
    local idle = math.max(0, algorithm.idle_in(state, now))
    local ttl = math.min(LONGEST_MS, math.ceil(idle / 1000) + 1 + expiry_extra)
    redis.call('SET', KEYS[key], algorithm.write(state), 'PX', ttl)
  end
end
if leases then leases.write(expiry_extra) end
return table.concat(replies)
