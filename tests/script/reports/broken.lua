test("fine", function() end)
error("outside of tests")
