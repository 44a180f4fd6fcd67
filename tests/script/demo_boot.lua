-- The demo disk comes up; its screen can be read.
local m = machine("-m 16 -fda " .. args.demo)
m:wait_text("Reprise")
m:wait(0.5)
m:run(1000001)
assert(m:text():find("Reprise"))
