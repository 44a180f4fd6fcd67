-- Which of several devices the BIOS boots by 'bootindex', whatever their kinds.
local guest = require("guest")

-- A boot sector that tells its name on the serial port:
--   jmp 7C40h; at 7C40h: xor ax,ax; mov ds,ax; mov si,7D00h
--   next: mov dx,3FDh; full: in al,dx; test al,20h; jz full
--   lodsb; test al,al; jz stop; mov dx,3F8h; out dx,al; jmp next; stop: hlt; jmp stop
local function boot_sector(name, size)
  local code = "\xEB\x3E" .. ("\0"):rep(62) .. "\x31\xC0\x8E\xD8\xBE\x00\x7D\xBA\xFD\x03\xEC\xA8\x20\x74\xFB"
    .. "\xAC\x84\xC0\x74\x06\xBA\xF8\x03\xEE\xEB\xED\xF4\xEB\xFD"
  code = code .. ("\0"):rep(0x100 - #code) .. "booted " .. name .. ".\n\0"
  code = code .. ("\0"):rep(510 - #code) .. "\x55\xAA"
  return code .. ("\0"):rep(size - #code)
end

local function image(name, size)
  return guest.write_file(guest.scratch(name .. ".img"), boot_sector(name, size))
end

local DISK_BYTES = 1 << 20

-- Every kind of device at once; the order is a list of their names.
local KINDS = {
  floppy = function(index)
    return {"-drive", "if=none,id=floppy,format=raw,file=" .. image("floppy", 1440 * 1024),
            "-device", "floppy,drive=floppy,bootindex=" .. index}
  end,
  cd = function(index)
    local disc = guest.cd("order.iso", {["BOOT.BIN"] = boot_sector("cd", 2048)}, {boot = "BOOT.BIN"})
    return {"-drive", "if=none,id=cd,media=cdrom,file=" .. disc,
            "-device", "ide-cd,drive=cd,bus=ide.1,bootindex=" .. index}
  end,
  net = function(index)
    return {"-netdev", "user,id=lan", "-device", "e1000,netdev=lan,bootindex=" .. index}
  end,
}

local function disk(name, device)
  KINDS[name] = function(index)
    return {"-drive", "if=none,id=" .. name .. ",format=raw,file=" .. image(name, DISK_BYTES),
            "-device", device .. ",drive=" .. name .. ",bootindex=" .. index}
  end
end

disk("ide", "ide-hd,bus=ide.0")
disk("virtio", "virtio-blk-pci")
disk("sata", "ide-hd,bus=ahci.0")
disk("nvme", "nvme,serial=x")
disk("scsi", "scsi-hd,bus=scsi0.0")
disk("usb", "usb-storage,port=1.2")

local CONTROLLERS = {"-m", "32", "-device", "ich9-ahci,id=ahci",
                     "-device", "lsi,id=scsi0", "-usb", "-device", "usb-hub,port=1"}
local ALL = {"floppy", "cd", "ide", "virtio", "sata", "nvme", "scsi", "usb", "net"}

local function options(order)
  local words = {table.unpack(CONTROLLERS)}
  for index, name in ipairs(order) do
    for _, word in ipairs(KINDS[name](index)) do
      words[#words + 1] = word
    end
  end
  return words
end

for _, first in ipairs(ALL) do
  if first ~= "net" then
    test(first .. " first of all", function()
      local order = {first}
      for _, name in ipairs(ALL) do
        if name ~= first then
          order[#order + 1] = name
        end
      end
      local m = guest.machine_on_network(table.unpack(options(order)))
      m:wait_serial("booted " .. first .. ".", {timeout = 60})
    end)
  end
end

-- What cannot be booted is passed over: the network has no server for it, the floppy is empty.
test("the next where the first has nothing", function()
  local words = options({"net", "cd", "ide"})
  local m = guest.machine_on_network(table.unpack(words))
  m:wait_serial("booted cd.", {timeout = 120})
end)
