-- Run by hash_log.py.
local m = machine("-m 16 -fda " .. args.demo)
m:wait_text("Reprise")
m:send_serial(("abcdefghijklmnopqrstuvwxyz"):rep(20))
m:wait_idle()
local c = m:checkpoint()
for _ = 1, 2 do
  m:key("s")
  m:wait(0.5)
  m:key("g")
  m:wait(0.5)
  m:restore(c)
end
