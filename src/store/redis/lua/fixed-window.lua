-- fixed-window.lua; see src/bucket/fixed-window.ts.
-- Fixed window: state {start (us), count, window (us), params}.
local function define_fixed_window()
  local floor, min, max = math.floor, math.min, math.max

  local function evaluate(state, offered, hits, now, charging, undo, undo_window)
    local held = state.params
    local params = in_force(held, offered, now)
    local limit, window = params.limit, state.window
    local start = floor(now / window) * window
    if state.start > start and state.start - now < window then start = state.start end
    local before = start == state.start and state.count or 0
    if undo then hits = undo_window == start and -hits or 0 end

    local allowed = hits < 0 or before + hits <= limit
    local charged = charging == ALWAYS or (charging == IF_ALLOWED and allowed)
    local after = before
    if charged then after = max(0, min(MAX_COUNT, before + hits)) end
    if charged and hits ~= 0 then state.start, state.count, state.changed = start, after, true end
    if held.limit ~= params.limit or held.version ~= params.version then state.changed = true end
    state.params = params

    local reset = min(window, start + window - now)
    if allowed then
      return true, before, after, max(0, limit - after), reset, 0, max(0, after - before), start, reset
    end
    return false, before, before + hits, 0, reset, hits > limit and math.huge or reset, after - before, start, reset
  end

  return {
    windowed = true,
    evaluate = evaluate,
    new = function(params, now)
      local window = params.window
      local start = floor(now / window) * window
      return { start = start, count = 0, window = window, params = params, changed = false, fresh = true }
    end,
    read = function(packed, params)
      if #packed ~= 28 then return nil end
      local start, count, limit, version = struct.unpack('<ddI4d', packed)
      local held = { limit = limit, version = version }
      return { start = start, count = count, window = params.window, params = held, changed = false, fresh = false }
    end,
    write = function(state)
      return struct.pack('<ddI4d', state.start, state.count, state.params.limit, state.params.version)
    end,
    unused = function(state) return state.count == 0 end,
    idle_in = function(state, now) return state.start + state.window - now end,
  }
end
