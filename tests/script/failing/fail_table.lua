error({kind = "fail", message = "a table on purpose"})
