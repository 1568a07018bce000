-- token-bucket.lua; see src/bucket/token-bucket.ts.
-- Token bucket: state {tokens (ut), last (us), params}.
local function define_token_bucket()
  -- Plain operators, since a call of a function of `math` costs more than the arithmetic: x - x % 1 is its floor, and
  -- x + -x % 1 its ceiling, both exactly.
  local HUGE, pack, unpack = math.huge, struct.pack, struct.unpack

  local function refill_time(missing, rate)
    if missing <= 0 then return 0 end
    if rate == 0 then return HUGE end
    local time = missing * US / rate
    return time + -time % 1
  end

  local function evaluate(state, offered, hits, now, charging, undo)
    local held = state.params
    local params = in_force(held, offered, now)
    local capacity, rate = params.capacity * UT, params.rate
    local ceiling = held.capacity * UT
    if capacity < ceiling then ceiling = capacity end
    local passed = now - state.last
    local refill = passed > 0 and passed * held.rate / US or 0
    local whole = refill - refill % 1
    local before = state.tokens + whole
    if before > ceiling then before = ceiling end

    local wanted = undo and -hits or hits * UT
    local allowed = wanted <= 0 or before >= wanted
    local charged = charging == ALWAYS or (charging == IF_ALLOWED and allowed)
    local after = before
    if charged then
      after = before - wanted
      if after > capacity then after = capacity elseif after < 0 then after = 0 end
    end

    local same = held == params
      or (held.version == params.version and held.capacity == params.capacity and held.rate == params.rate)
    if (charged and wanted ~= 0) or now < state.last or not same then
      state.tokens = after
      if before == ceiling or after == capacity or rate == 0 then
        state.last = now
      else
        local part = (refill - whole) * US / rate
        state.last = now - (part - part % 1)
      end
      state.changed = true
    end
    state.params = params

    local used = (capacity - before) / UT
    local used_after = (capacity - after) / UT
    if wanted > 0 and (charged or not allowed) then used_after = used + hits end
    local remaining, retry = 0, 0
    if allowed then
      remaining = (after - after % UT) / UT
    elseif wanted > capacity then
      retry = math.huge
    else
      retry = refill_time(wanted - after, rate)
    end
    return allowed, used, used_after, remaining, refill_time(capacity - after, rate), retry,
      before > after and before - after or 0, 0, refill_time(capacity - before, rate)
  end

  return {
    evaluate = evaluate,
    new = function(params, now)
      return { tokens = params.capacity * UT, last = now, params = params, changed = false, fresh = true }
    end,
    read = function(packed, params)
      if #packed ~= 36 then return nil end
      local tokens, last, capacity, rate, version = unpack('<ddI4dd', packed)
      if capacity ~= params.capacity or rate ~= params.rate or version ~= params.version then
        params = { capacity = capacity, rate = rate, version = version }
      end
      return { tokens = tokens, last = last, params = params, changed = false, fresh = false }
    end,
    write = function(state)
      local params = state.params
      return pack('<ddI4dd', state.tokens, state.last, params.capacity, params.rate, params.version)
    end,
    unused = function(state) return state.tokens == state.params.capacity * UT end,
    idle_in = function(state)
      return refill_time(state.params.capacity * UT - state.tokens, state.params.rate)
    end,
  }
end
