-- Checks and steps, as far as a script can tell itself.
test("checks pass values on", function()
  check_equal(check(7, "seven"), 7)
  local failure = check_error(function() check(nil, "not there") end, "not there")
  check_equal(failure.kind, "fail")
  check(tostring(failure):find("structure.lua:4: not there", 1, true), tostring(failure))
end)

test("differences are told with both values", function()
  local function difference(a, b) return check_error(function() check_equal(a, b) end).message end
  check_equal(difference(1, 2), "got 1, expected 2")
  check_equal(difference("1", 1), 'got "1", expected 1')
  check_equal(difference(nil, false), "got nil, expected false")
  check_equal(difference("a\n\1\"", "b"), 'got "a\\n\\x01\\"", expected "b"')
  check_equal(difference({a = {b = {1, 2}}}, {a = {b = {1, 3}}}), "at a.b[2]: got 2, expected 3")
  check_equal(difference({1}, {1, 2}), "at [2]: got nil, expected 2")
  check_equal(difference({1, 2}, {1}), "at [2]: got 2, expected nil")
  check_equal(difference({}, 5), "got {}, expected 5")
  check_equal(difference({1, "x", k = true}, false), 'got {1, "x", k = true}, expected false')
  local long = ("x"):rep(500)
  local message = difference(long .. "a" .. long, long .. "b" .. long)
  check(message:find("the same up to byte 501)", 1, true), message)
  check(#message < 400, "long strings are shortened")
end)

test("equal tables are equal, however deep", function()
  check_equal({1, {2, {3, {4}}}, k = {}}, {1, {2, {3, {4}}}, k = {}})
  local function nest(depth) return depth == 0 and {} or {nest(depth - 1)} end
  check_equal(nest(50), nest(50))
  local cycle = {}
  cycle.me = cycle
  check_equal(cycle, cycle)
  check_error(function()
    local other = {}
    other.me = {me = other}
    check_equal(cycle, other)
  end, "at me.me.me")
end)

test("check_error tells what did not fail, and what failed otherwise", function()
  check_error(function() check_error(function() end) end, "should have failed")
  check_error(function() check_error(function() error("this") end, "that") end, "it failed, but not with 'that'")
  check_equal(check_error(function() error({7}) end)[1], 7)
end)

test("steps return what their functions do", function()
  check_equal({step("some", function() return 1, nil, 3 end)}, {1, nil, 3})
  step("plain")
  step("outer", function()
    step("plain within")
    check_error(function() step("failing", function() fail("caught") end) end, "caught")
    step("another within")
  end)
end)

test("tests do not stand within tests", function()
  local failure = check_error(function() test("inner", function() end) end, "within a test")
  check_equal(failure.kind, "usage")
end)

check_equal(test("its verdict is returned", function() end), true)
