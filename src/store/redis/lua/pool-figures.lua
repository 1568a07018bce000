-- pool-figures.lua: figures that are stored of a pool, read with doubt; before the pool's scripts. Epochs and versions are times,
-- or a little later, so one from far ahead was never given: it would keep everybody out until then.
local FAR, MOST = 172800000, 4503599627370496
local function sane(text, most)
  local n = tonumber(text or '0') or 0
  return n >= 0 and n <= most and math.floor(n) or 0
end
