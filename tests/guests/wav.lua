-- WAV files that the sink of '-audiodev wav' made, and the pitch of what is in them.
local guest = require("guest")

local wav = {}

-- A WAV file -> its rate, and the samples of the left side.
function wav.read(path)
  local bytes = guest.read_file(path)
  check_equal(bytes:sub(1, 4) .. bytes:sub(9, 16), "RIFFWAVEfmt ")
  local channels, rate = string.unpack("<I2I4", bytes, 23)
  local size = string.unpack("<I4", bytes, 41)
  check_equal(#bytes, 44 + size)
  check_equal(string.unpack("<I4", bytes, 5), size + 36)
  local samples = {}
  for at = 45, #bytes - channels * 2 + 1, channels * 2 do
    samples[#samples + 1] = string.unpack("<i2", bytes, at)
  end
  return rate, samples
end

-- How often a second the samples from FIRST to LAST rise through zero, and how many there are.
function wav.frequency(rate, samples, first, last)
  local from, to, count
  for i = first or 1, (last or #samples) - 1 do
    local a, b = samples[i], samples[i + 1]
    if a < 0 and b >= 0 then
      to = i + a / (a - b)
      from, count = from or to, (count or -1) + 1
    end
  end
  return count and count > 0 and count / (to - from) * rate or 0
end

-- Is it what was wanted, but for 0.1 %?
function wav.check_frequency(rate, samples, first, last, wanted, what)
  local found = wav.frequency(rate, samples, first, last)
  check(math.abs(found - wanted) <= wanted * 0.001,
    ("%s is %.3f, not %.3f"):format(what or "the tone", found, wanted))
end

return wav
