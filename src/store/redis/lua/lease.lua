-- lease.lua: tokens taken from a bucket ahead of use; see src/bucket/lease-ledger.ts, which this follows operation by operation.
-- The records of a bucket's holders are stored beside it: the window they are of, then for each holder its
-- number, the sequence of its last ask, the tokens it may still have, and when its record expires (us).
local function define_lease(now, asked, sets, state_for)
  local floor, min, max = math.floor, math.min, math.max
  local MAX_HOLDERS = 128
  local RECORD = 32
  local ledgers = {}

  local function read(packed)
    local ledger = { window = 0, records = {} }
    if type(packed) ~= 'string' or #packed % RECORD ~= 8 then return ledger end
    ledger.stored = true
    ledger.window = struct.unpack('<d', packed)
    for at = 9, #packed, RECORD do
      local holder, seq, outstanding, expires = struct.unpack('<dddd', packed, at)
      ledger.records[#ledger.records + 1] = { holder = holder, seq = seq, outstanding = outstanding, expires = expires }
    end
    return ledger
  end

  -- Drops expired records; the tokens on them are lost.
  local function forget(ledger)
    local kept, forgotten = {}, 0
    for _, record in ipairs(ledger.records) do
      if record.expires <= now then
        forgotten = forgotten + record.outstanding
      else
        kept[#kept + 1] = record
      end
    end
    ledger.records = kept
    return forgotten
  end

  local function chunk(want, allowance, held, others, holders, remaining)
    local room = min(allowance - others, max(1, floor(allowance / holders))) - held
    local part = max(1, floor(remaining / holders))
    return max(0, min(want, room, part, remaining))
  end

  -- Writes down what a holder has now, be it nothing: the record keeps asks that were overtaken from counting.
  local function enter(ledger, own, ask, outstanding)
    if not own then
      own = { holder = ask.holder }
      ledger.records[#ledger.records + 1] = own
    end
    own.seq, own.outstanding, own.expires = ask.seq, outstanding, now + ask.keep
  end

  -- Evaluates hits on the bucket; what goes back to a window names it.
  local function evaluate(state, ask, hits, undo_window)
    local params = ask.params
    local undo = undo_window ~= nil and ask.windowed
    local _, _, _, remaining, reset, _, _, window = params.algorithm.evaluate(
      state, params, undo and -hits or hits, now, hits < 0 and ALWAYS or IF_ALLOWED, undo, undo_window)
    return remaining, reset, window
  end

  -- Settles one ask about the bucket of `state`. Returns the figures of the reply, in their order.
  local function settle(ledger_key, state, ask)
    local ledger = ledgers[ledger_key]
    if not ledger then
      ledger = read(redis.pcall('GET', ledger_key))
      ledgers[ledger_key] = ledger
    end
    local forgotten = forget(ledger)
    local remaining, reset, window = evaluate(state, ask, 0)
    if ledger.window ~= window then
      ledger.window = window
      for _, record in ipairs(ledger.records) do record.outstanding = 0 end
    end

    local own, others = nil, 0
    for _, record in ipairs(ledger.records) do
      if record.holder == ask.holder then own = record else others = others + record.outstanding end
    end
    local recorded = own and own.outstanding or 0
    if own and ask.seq <= own.seq then
      return 0, 0, 0, remaining, reset, others + recorded, forgotten, window, 0
    end

    local current = ask.window == window
    local held = current and ask.held or 0
    local missing = current and (not own or own.seq < ask.confirmed) and ask.recorded or 0
    local accepted = current and min(ask.back, max(0, recorded - held)) or 0
    if accepted > 0 then remaining, reset = evaluate(state, ask, -accepted, window) end

    local holders = #ledger.records + (own and 0 or 1)
    local granted = 0
    if holders <= MAX_HOLDERS then
      local params = state.params
      local capacity = ask.windowed and params.limit or params.capacity
      granted = chunk(ask.want, floor(ask.epsilon * capacity), held, others, holders, remaining)
      if granted > 0 then remaining, reset = evaluate(state, ask, granted) end
      enter(ledger, own, ask, held + granted)
    end
    return 1, granted, accepted, remaining, reset, others + held + granted, forgotten, window, missing
  end

  local lease = {}

  -- Reads the ask at a place of what was asked, and settles it. Returns its reply, and where the next request begins.
  function lease.settle(at)
    local head, ledger, holder, seq, window, held, back, recorded, want, keep, epsilon, confirmed, after =
      struct.unpack('<dddddddddddd', asked, at)
    local place = (head - head % 16) / 16
    local set = place % 16384
    local params = sets[set]
    local state = state_for((place - set) / 16384 + 1, params, 0)
    if not state then return struct.pack('<ddddddddd', 2, 0, 0, 0, 0, 0, 0, 0, 0), after end
    return struct.pack('<ddddddddd', settle(KEYS[ledger + 1], state, {
      params = params,
      windowed = params.algorithm.windowed,
      holder = holder,
      seq = seq,
      window = window,
      held = held,
      back = back,
      recorded = recorded,
      want = want,
      keep = keep,
      epsilon = epsilon,
      confirmed = confirmed,
    })), after
  end

  -- Stores the ledgers for as long as one of their records lives.
  function lease.write(expiry_extra)
    for key, ledger in pairs(ledgers) do
      local parts, last = { struct.pack('<d', ledger.window) }, 0
      for i, record in ipairs(ledger.records) do
        parts[i + 1] = struct.pack('<dddd', record.holder, record.seq, record.outstanding, record.expires)
        last = max(last, record.expires - now)
      end
      local ttl = 1
      if last > 0 then ttl = math.ceil(last / 1000) + 1 + expiry_extra end
      if last > 0 or ledger.stored then
        redis.call('SET', key, table.concat(parts), 'PX', string.format('%.0f', ttl))
      end
    end
  end

  return lease
end
