machine("-m 16 -loadvm there -snapshots /nowhere/at/all")
