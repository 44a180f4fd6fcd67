machine("-serial file:out.txt")
