-- token-account.lua: token buckets beside decisions; after algorithm.lua and token-bucket.lua.
-- ARGV[1] the time to go by instead of Redis TIME (us), for tests; 0 in production
-- ARGV[2] added to every time to live (ms)
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * US + time[2]
end

local bucket = define_token_bucket()

-- A bucket, with its offered parameters in three arguments: capacity, rate, version. Nil when the key holds something else.
local function open_account(key, at)
  local params = {
    capacity = tonumber(ARGV[at]),
    rate = tonumber(ARGV[at + 1]),
    version = tonumber(ARGV[at + 2]),
  }
  local packed = redis.pcall('GET', key)
  local state
  if not packed then
    state = bucket.new(params, now)
  elseif type(packed) == 'string' then
    state = bucket.read(packed, params)
  end
  if not state then return nil end

  local account = {}

  -- Whole tokens, whole tokens that it has room for, and its capacity; the bucket as it is stored stays as it is.
  function account.look()
    local _, used, _, tokens = bucket.evaluate(state, params, 0, now, NEVER)
    return tokens, math.floor(used), state.params.capacity
  end

  -- Takes so many tokens, which must be there; gives them where negative, up to the capacity.
  function account.take(tokens)
    bucket.evaluate(state, params, tokens, now, ALWAYS)
    if state.fresh and bucket.unused(state) then return end
    local ttl = math.ceil(math.max(0, bucket.idle_in(state)) / 1000) + 1 + tonumber(ARGV[2])
    -- Ten years: nothing is kept longer.
    redis.call('SET', key, bucket.write(state), 'PX', string.format('%.0f', math.min(315360000000, ttl)))
  end

  return account
end
