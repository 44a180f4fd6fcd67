-- OpenBSD 5.1's installer: a 32-bit BSD kernel with a RAM disk, from a floppy.
local guest = require("guest")

test("shell", function()
  -- With few instructions to a second: the kernel waits for drives that are not there by counting
  -- the local APIC's timer, for half a minute in all.
  local m = machine("-m", "64", "-icount", "shift=8", "-fda", guest.image("openbsd.img"))
  m:wait_text("(I)nstall, (U)pgrade or (S)hell?", {timeout = 600})
  m:type("s\n")
  m:wait_text("\n#")
  m:type("ls -l /\n")
  m:wait_until(function()
    return m:text():find("\n%-rw%-r%-%-r%-%- +1 root +wheel +38126 Feb 12 +%S+ install.sub\n")
  end, {what = "the list of files"})
  m:type("clear; dmesg | grep apic\n")
  m:wait_text("24 pins\n")
  local text = m:text()
  local megahertz = tonumber(text:match("\ncpu0: apic clock running at (%d+)MHz\n"))
  check(990 <= megahertz and megahertz <= 1010, "the bus clock is 1 GHz, not " .. megahertz)
  check(text:find("\nioapic0 at mainbus0: apid %d+ pa 0xfec00000, version 11, 24 pins\n"),
    "the I/O APIC is another")
end)
