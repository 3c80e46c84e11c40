// The sliding window as Redis keeps it: a list of the moments of what was accepted, oldest first, in microseconds of its own clock.
import { script } from '../resources/redis.ts'

/**
 * KEYS[1] the window; ARGV: its length in microseconds, the limit, the cost, `all`, `some` or `look`, and for tests the moment.
 * Answers how many places were taken, how many are held, and the microseconds until one is free and until this would be accepted.
 */
export const windowScript = script(`
local key, share = KEYS[1], ARGV[4]
local length, limit, cost, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[5])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local stamp = string.format('%.0f', now)
local function at(index) return tonumber(redis.call('LINDEX', key, index)) end
local held = redis.call('LLEN', key)

-- The clock was set back: what lies ahead happened before now, and must not lock anybody out until then.
local ahead = held - 1
while ahead >= 0 and at(ahead) > now do
  redis.call('LSET', key, ahead, stamp)
  ahead = ahead - 1
end

if held > 0 and at(0) <= now - length then
  local low, high = 1, held
  while low < high do
    local middle = math.floor((low + high) / 2)
    if at(middle) <= now - length then low = middle + 1 else high = middle end
  end
  redis.call('LTRIM', key, low, -1)
  held = held - low
end

local room = math.max(0, limit - held)
local taken = 0
if share ~= 'look' then
  if cost <= room then taken = cost elseif share == 'some' then taken = room end
end
if taken > 0 then
  local stamps = {}
  for place = 1, taken do stamps[place] = stamp end
  redis.call('RPUSH', key, unpack(stamps))
  redis.call('PEXPIRE', key, math.ceil(length / 1000) + 1000)
  held = held + taken
end

local allowed = taken == cost
if share == 'look' then allowed = cost <= room end
if share == 'some' then cost = 1 end
local reset, retry = 0, 0
if held > 0 then reset = at(0) + length - now end
if not allowed then
  retry = length
  if cost <= limit then retry = at(held + cost - limit - 1) + length - now end
end
return { taken, held, reset, retry }
`)
