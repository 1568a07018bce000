-- token-bucket.lua; see src/bucket/token-bucket.ts.
-- Token bucket: state {tokens (ut), last (us), params}.
local function define_token_bucket()
  local floor, min, max = math.floor, math.min, math.max

  local function refill_time(missing, rate)
    if missing <= 0 then return 0 end
    if rate == 0 then return math.huge end
    return math.ceil(missing * US / rate)
  end

  local function evaluate(state, offered, hits, now, charging, undo)
    local held = state.params
    local params = in_force(held, offered, now)
    local capacity, rate = params.capacity * UT, params.rate
    local ceiling = min(held.capacity * UT, capacity)
    local refill = max(0, now - state.last) * held.rate / US
    local whole = floor(refill)
    local before = min(ceiling, state.tokens + whole)

    local wanted = undo and -hits or hits * UT
    local allowed = wanted <= 0 or before >= wanted
    local charged = charging == ALWAYS or (charging == IF_ALLOWED and allowed)
    local after = before
    if charged then after = max(0, min(capacity, before - wanted)) end

    local same = held == params
      or (held.version == params.version and held.capacity == params.capacity and held.rate == params.rate)
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
      retry = math.huge
    else
      retry = refill_time(wanted - after, rate)
    end
    return allowed, used, used_after, remaining, refill_time(capacity - after, rate), retry,
      max(0, before - after), 0, refill_time(capacity - before, rate)
  end

  return {
    evaluate = evaluate,
    new = function(params, now)
      return { tokens = params.capacity * UT, last = now, params = params, changed = false, fresh = true }
    end,
    read = function(packed, params)
      if #packed ~= 36 then return nil end
      local tokens, last, capacity, rate, version = struct.unpack('<ddI4dd', packed)
      if capacity ~= params.capacity or rate ~= params.rate or version ~= params.version then
        params = { capacity = capacity, rate = rate, version = version }
      end
      return { tokens = tokens, last = last, params = params, changed = false, fresh = false }
    end,
    write = function(state)
      local params = state.params
      return struct.pack('<ddI4dd', state.tokens, state.last, params.capacity, params.rate, params.version)
    end,
    unused = function(state) return state.tokens == state.params.capacity * UT end,
    idle_in = function(state)
      return refill_time(state.params.capacity * UT - state.tokens, state.params.rate)
    end,
  }
end
