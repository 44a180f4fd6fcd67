-- FreeDOS on a network: packet drivers find their cards, mTCP gets an address from the private
-- network's DHCP server and pings its gateway; in real mode, and in v8086 mode under JEMM386.
local guest = require("guest")

local cards = {
  {name = "NE2000, ISA", device = "ne2k_isa", start = "\\net\\ne2k"},
  {name = "PCnet", device = "pcnet", start = "\\net\\pcnet"},
}

local function start(device)
  return guest.machine_on_network("-m", "32", "-fda", guest.image("freedos-net-sound.img"),
    "-snapshots", guest.scratch(device .. ".snapshots"),
    "-netdev", "user,id=lan", "-device", device .. ",netdev=lan")
end

local function boot(choice, device)
  local m = start(device)
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

-- Saved between two packets, the guest goes on in another machine with a network of its own.
local function ping_across_a_snapshot(card)
  local m = boot("3", card.device)
  m:type("cls\n" .. card.start .. "\n")
  m:wait_text("Packet sequence number 0 received", {timeout = 60})
  m:save("middle")
  m:close()
  m = start(card.device)
  m:load("middle")
  check(not m:text():find("Replies received", 1, true))
  m:wait_text("Packets sent: 3, Replies received: 3, Replies lost: 0", {timeout = 60})
end

local modes = {{choice = "3", name = "HIMEMX"}, {choice = "2", name = "JEMM386"}}

for _, card in ipairs(cards) do
  for _, mode in ipairs(modes) do
    test(card.name .. " with " .. mode.name, function() ping(boot(mode.choice, card.device), card) end)
  end
  test(card.name .. " across a snapshot", function() ping_across_a_snapshot(card) end)
end
