
machine("-no-such-option")
