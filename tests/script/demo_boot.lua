-- The demo disk comes up; its screen can be read.
local m = machine("-m 16 -fda " .. args.demo)
for _ = 1, 100 do
  m:run(10000000)
  if m:text():find("Reprise") then return end
end
error("the demo's screen never came:\n" .. m:text())
