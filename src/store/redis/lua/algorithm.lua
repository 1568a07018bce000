-- algorithm.lua: what the algorithms share. The script is this file, those of the algorithms, and decide.lua, one
-- after the other; the arithmetic is that of src/bucket, operation by operation, and tests hold both to the same cases.
--
-- An algorithm is a table of
--   new(params, now) the state of an unused bucket       read(packed, params) a stored state; nil when it is none
--   write(state) the stored form                         unused(state) whether it is as a new one
--   idle_in(state, now) when it will be so, us           evaluate(...) one call; sets state.changed when it must be stored
-- evaluate returns allowed and the figures of the reply, in their order.

local UT, US, MAX_COUNT = 1000000, 1000000, 4503599627370496
local NEVER, IF_ALLOWED, ALWAYS = 0, 1, 2

-- The parameters to go by; see paramsInForce in src/bucket/params.ts.
local function in_force(held, offered, now)
  local version = held.version
  if offered.version >= version then return offered end
  return version >= 1099511627776 and now - version * 1000 > 120000000 and offered or held
end
