# Builds for 64-bit Windows: one static file, by Debian's mingw-w64; what it makes runs under Debian's Wine.
set(TRIPLET x86_64-w64-mingw32)
set(COMPILER x86_64-w64-mingw32-gcc-posix)
set(SYSTEM Windows)
set(PROCESSOR x86_64)
find_program(WINE NAMES wine64 wine PATHS /usr/lib/wine NO_CMAKE_FIND_ROOT_PATH)
set(EMULATOR ${WINE})
include(${CMAKE_CURRENT_LIST_DIR}/cross.cmake)
