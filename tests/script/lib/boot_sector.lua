-- Machines that boot code made by the script itself.
local boot_sector = {}

-- Writes a 1.44 MB floppy image that boots 'code' (510 bytes at most) at 0000:7C00; returns its path.
function boot_sector.write(code)
  assert(#code <= 510)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(code, ("\0"):rep(510 - #code), "\x55\xAA", ("\0"):rep(1474560 - 512))
  file:close()
  return path
end

-- A small machine that boots 'code'; 'more': further options. The image lives as long as the machine.
function boot_sector.machine(code, more)
  local path = boot_sector.write(code)
  local m = machine("-m 2 -fda " .. path .. " " .. (more or ""))
  os.remove(path)
  return m
end

return boot_sector
