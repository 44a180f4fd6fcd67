-- Cases run on clones of one machine, each in a state of its own.
local boot_sector = require "lib.boot_sector"

-- Writes its characters to COM1 and counts at 600h for ever:
-- xor ax,ax; mov ds,ax; mov dx,3F8h; mov al,'R'; out dx,al; inc word [600h]; jmp back to inc
local COUNTER = "\x31\xC0\x8E\xD8\xBA\xF8\x03\xB0\x52\xEE\xFF\x06\x00\x06\xEB\xFA"
local m = boot_sector.machine(COUNTER)
m:wait_serial("R", {timeout = 20})
local other = boot_sector.machine(COUNTER)

factor = 10 -- a script's own global
local function scaled(n) return n * factor end

test("a case gets a clone, its case, and what its function uses", function()
  local start = m:time()
  local returned = cases(m, {3, 1, {name = "named", value = 2}}, function(clone, case)
    local value = type(case) == "table" and case.value or case
    check(clone:read_u16(0x600) > 0, "the clone has run already")
    check_equal(clone:serial(), "R")
    clone:wait(value)
    factor = factor + 1 -- no other case sees this
    return {time = clone:time(), scaled = scaled(value), factor = factor}
  end)
  check_equal(#returned, 3)
  for i, value in ipairs {3, 1, 2} do
    check(math.abs(returned[i].time - start - value) < 1e-6, "time of case " .. i)
    check_equal(returned[i].scaled, 11 * value)
    check_equal(returned[i].factor, 11)
  end
  check_equal(m:time(), start, "the machine itself stands still")
  check_equal(factor, 10)
end)

test("the machine's own name means the clone in a case", function()
  local before = m:instructions()
  local returned = cases(m, {1000, 2000}, function(_, count)
    m:run(count)
    return m:instructions()
  end)
  check_equal(returned, {before + 1000, before + 2000})
  check_equal(m:instructions(), before)
end)

test("equal cases end with equal hashes, whatever ran before", function()
  local list = {}
  for i = 1, 12 do list[i] = i % 3 * 10000 + 5000 end
  local hashes = cases(m, list, function(clone, count)
    clone:run(count)
    return clone:hash()
  end)
  local by_count = {}
  for i, count in ipairs(list) do
    by_count[count] = by_count[count] or hashes[i]
    check_equal(hashes[i], by_count[count], "case " .. i)
  end
  local now = m:checkpoint()
  for count, hash in pairs(by_count) do
    m:run(count)
    check_equal(m:hash(), hash, "the machine itself after " .. count)
    m:restore(now)
  end
  now:free()
end)

test("random numbers are the same in each run", function()
  local returned = cases(m, {1, 2}, function() return math.random(1 << 60) end)
  check_equal(returned[1], returned[2])
end)

test("a case that returns nothing leaves a hole", function()
  local returned = cases(m, {1, 2, 3}, function(_, n) if n ~= 2 then return n end end)
  check_equal(returned, {1, nil, 3})
end)

test("no cases are no failure", function()
  check_equal(cases(m, {}, function() fail("never called") end), {})
end)

test("what cannot be carried is named", function()
  local failure = check_error(function()
    local thread = coroutine.create(print)
    cases(m, {1}, function() return thread end)
  end, "a coroutine cannot be carried to another thread: the cases' function, upvalue 'thread'")
  check_equal(failure.kind, "usage")
end)

test("steps, checks and skips within cases", function()
  cases(m, {1, 2}, function(clone, n)
    step("skip some", function() if n == 2 then skip("not this one") end end)
    step("go on", function() clone:run(100) end)
  end)
end)

test("the standard library is there", function()
  local upper, concat = string.upper, table.concat
  check_equal(cases(m, {"a"}, function(_, c) return concat({upper(c), ("b"):rep(2)}) end), {"Abb"})
end)

test("machines of one's own", function()
  check_equal(cases(m, {1, 2}, function()
    local mine = boot_sector.machine(COUNTER)
    mine:wait_serial("R")
    local text = mine:serial()
    mine:close()
    return text
  end), {"R", "R"})
end)

test("other machines and checkpoints stay in the script, and say so", function()
  local second, point = boot_sector.machine(COUNTER), m:checkpoint()
  cases(m, {"a"}, function(clone)
    local failure = check_error(function() return second:time() end, "this machine belongs to the script")
    check_equal(failure.kind, "usage")
    check_error(function() clone:restore(point) end, "checkpoint expected")
  end)
end)

test("fonts come along", function()
  local font = m:font{address = 0xF0000, width = 8, height = 8, count = 10}
  local glyphs = #font
  local returned = cases(m, {1, 2}, function(clone)
    check_equal(clone:find_text("never there", {font = font}), nil)
    return #font
  end)
  check_equal(returned, {glyphs, glyphs})
end)
