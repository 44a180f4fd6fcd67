# Writes the file INPUT as the C array NAME, with NAME_size, to OUTPUT; HEADER declares both.
file(READ ${INPUT} content HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${content}")
string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
file(WRITE ${OUTPUT} "#include \"${HEADER}\"\n\nconst uint8_t ${NAME}[] = {\n${bytes}};\nconst size_t ${NAME}_size = sizeof(${NAME});\n")
