-- FreeDOS on a network: packet drivers find their cards, mTCP gets an address from the private
-- network's DHCP server and pings its gateway; in real mode, and in v8086 mode under JEMM386.
local guest = require("guest")

local cards = {
  {name = "NE2000, ISA", device = "ne2k_isa", start = "\\net\\ne2k"},
  {name = "PCnet", device = "pcnet", start = "\\net\\pcnet"},
}

local function boot(choice, device)
  local m = guest.machine_on_network("-m", "32", "-fda", guest.image("freedos-net-sound.img"),
    "-netdev", "user,id=lan", "-device", device .. ",netdev=lan")
  m:wait_text("1 - HIMEMX")
  m:type(choice .. "\n")
  m:wait_text("ready, menu choice " .. choice)
  m:wait_text("A:\\>")
  return m
end

local function ping(m, card)
  m:type("cls\n" .. card.start .. "\n")
  m:wait_text("10.0.2.15", {timeout = 60})
  m:wait_text("Packets sent: 3, Replies received: 3, Replies lost: 0", {timeout = 60})
  m:wait_text("A:\\>")
end

local modes = {{choice = "3", name = "HIMEMX"}, {choice = "2", name = "JEMM386"}}

for _, card in ipairs(cards) do
  for _, mode in ipairs(modes) do
    test(card.name .. " with " .. mode.name, function() ping(boot(mode.choice, card.device), card) end)
  end
end
