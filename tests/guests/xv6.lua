-- xv6: paging, processes, the APICs by the MP table, two IDE disks by PIO, console on COM1.
local guest = require("guest")

-- Boots to the shell. The kernel maps the first 224 MB whatever there is, so less will not do.
local function start(...)
  local m = machine("-m", "512", "-hda", guest.image("xv6.img"), "-hdb",
    guest.image("xv6-fs.img"), ...)
  m:wait_serial("init: starting sh\n$ ")
  return m
end

local function shell(m)
  m:type("ls\n")
  m:wait_serial("\nusertests      2 15 58248\n")
  m:wait_serial("\nconsole        3 19 0\n")
  m:wait_serial("$ ")
  m:type("cat README | grep Unix | wc\n")
  local answer = m:wait_serial("$ ")
  check(answer:find("\n[1-9]%d* %d+ %d+ \n"), "wc says " .. answer)
  check(m:text():find("usertests", 1, true), "the screen lacks what the serial port shows")
end

test("shell", function() shell(start()) end)
if guest.long then
  -- The kernel's own tests: system calls, faults, pipes, forks, files.
  test("usertests", function()
    local m = start()
    m:type("usertests\n")
    m:wait_serial("\nALL TESTS PASSED\n", {timeout = 1000})
  end)
end
