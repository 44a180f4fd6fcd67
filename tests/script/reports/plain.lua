-- A script without tests is one.
check_equal(1 + 1, 2)
