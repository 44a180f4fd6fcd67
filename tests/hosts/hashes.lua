-- Run by same_hashes.py on every host. What guests do follows from their instructions alone, so the hashes of their
-- states are the same everywhere. --var's: roms, a folder; programs, names of some of roms/bare_metal/; dos, an image;
-- systems, as NAME=SECONDS, with guests, a folder, and Linux' kernel and initramfs; save and load, snapshot files to write and to go on from.
local demo_options = "-m 16 -fda " .. args.roms .. "/demo.img"

if args.load then
  local m = machine(demo_options .. " -loadvm there -snapshots " .. args.load)
  m:wait(0.5)
  m:close()
  return
end

local demo = machine(demo_options .. (args.save and " -snapshots " .. args.save or ""))
demo:wait_text("Reprise")
demo:send_serial(("abcdefghijklmnopqrstuvwxyz"):rep(20))
demo:key("g")
demo:wait(0.2)
if args.save then
  demo:save("there")
end
demo:close()

for name in (args.programs or ""):gmatch("%S+") do
  local m = machine("-m 16 -net none -no-reboot -boot a -icount shift=3 -cpu pentium4 -fda "
    .. args.roms .. "/bare_metal/" .. name .. ".img")
  m:wait_serial("passed", {timeout = 600})
  m:close()
end

-- Whole systems, as far as this: images by name, and Linux of Debian by -kernel.
local function run_system(what, seconds)
  local m
  if what == "linux" then
    m = machine({"-m", "128", "-net", "none", "-kernel", args.kernel, "-initrd", args.initramfs,
                 "-append", "console=ttyS0"})
  elseif what == "xv6" then -- takes 224 MB for granted
    m = machine(("-m 256 -snapshot -drive file=%s/xv6.img,index=0,media=disk,format=raw "
      .. "-drive file=%s/xv6-fs.img,index=1,media=disk,format=raw"):format(args.guests, args.guests))
  else
    m = machine(("-m 128 -snapshot -fda %s/%s.img"):format(args.guests, what))
  end
  m:wait(seconds)
  m:close()
end

for what, seconds in (args.systems or ""):gmatch("(%S+)=(%S+)") do
  run_system(what, tonumber(seconds))
end

if args.dos then
  local dos = machine("-m 32 -fda " .. args.dos)
  dos:wait_text("A:\\>")
  dos:type("ver\n")
  dos:wait_text("FreeCom")
  dos:close()
end
