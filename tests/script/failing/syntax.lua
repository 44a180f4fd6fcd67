local m = 1
local = 2
