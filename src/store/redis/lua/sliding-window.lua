-- sliding-window.lua; see src/bucket/sliding-window.ts.
-- Sliding window: state {newest (index), total, counts (by index), sub (us), window (us), params}.
-- Stored: a byte (1 when counts are doubles, 0 when four bytes hold them), the limit, the version and the newest index;
-- then for each sub-window that is not empty how far it is behind the newest, and its count.
local function define_sliding_window()
  local RING = 33
  local floor, ceil, min, max = math.floor, math.ceil, math.min, math.max
  local algorithm = {}

  function algorithm.new(params)
    return { newest = -1, total = 0, counts = {}, sub = params.window / 32, window = params.window, params = params, fresh = true }
  end

  local function read(packed, params)
    local wide, limit, version, newest, at = struct.unpack('<BI4dd', packed)
    local entry = wide == 1 and '<Bd' or '<BI4'
    local counts, total = {}, 0
    while at <= #packed do
      local behind, count
      behind, count, at = struct.unpack(entry, packed, at)
      counts[newest - behind] = count
      total = total + count
    end
    local held = { limit = limit, version = version }
    return { newest = newest, total = total, counts = counts, sub = params.window / 32, window = params.window, params = held }
  end

  function algorithm.read(packed, params)
    local readable, state = pcall(read, packed, params)
    return readable and state or nil
  end

  function algorithm.write(state)
    local entry, wide = '<BI4', 0
    if state.total > 4294967295 then entry, wide = '<Bd', 1 end
    local parts = { struct.pack('<BI4dd', wide, state.params.limit, state.params.version, state.newest) }
    for behind = 0, 32 do
      local count = state.counts[state.newest - behind] or 0
      if count > 0 then parts[#parts + 1] = struct.pack(entry, behind, count) end
    end
    return table.concat(parts)
  end

  function algorithm.unused(state)
    return state.total == 0
  end

  function algorithm.idle_in(state, now)
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

  -- A place in time is a sub-window's index and the us since it began: neither is rounded, which time over `sub` would be.
  local function leaves_in(state, index, origin, from)
    return ceil((index - origin + RING) * state.sub - from)
  end

  local function sliding_reset(state, total, origin, from)
    if total == 0 then return 0 end
    return leaves_in(state, state.newest, origin, from)
  end

  local function room_in(state, index, hits, origin, from)
    local left, old = hits, max(0, index - 32)
    while old < state.newest do
      left = left - (state.counts[old] or 0)
      if left <= 0 then break end
      old = old + 1
    end
    return leaves_in(state, old, origin, from)
  end

  function algorithm.evaluate(state, offered, hits, now, charging, undo, undo_window)
    local held = state.params
    local params = in_force(held, offered, now)
    local limit = params.limit
    local windows = floor(now / state.window)
    local origin, from = windows * 32, now - windows * state.window
    local clock_index = origin + floor(from * 32 / state.window)
    local index = clock_index
    if state.newest > clock_index and state.newest - clock_index <= 32 then
      index = state.newest
      origin, from = index, 0
    end
    local before = live_total(state, index)
    local reset_before = sliding_reset(state, before, origin, from)
    if undo then hits = -hits end

    local allowed = hits < 0 or before + hits <= limit
    local charged = charging == ALWAYS or (charging == IF_ALLOWED and allowed)
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
    local reset = sliding_reset(state, after, origin, from)
    if allowed then
      return true, before, after, max(0, limit - after), reset, 0, max(0, after - before), index, reset_before
    end
    local retry = hits > limit and math.huge or room_in(state, index, after + hits - limit, origin, from)
    return false, before, before + hits, 0, reset, retry, after - before, index, reset_before
  end

  return algorithm
end
