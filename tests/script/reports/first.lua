test("one", function() end)
test("two", function() fail("stop here") end)
test("three", function() end)
