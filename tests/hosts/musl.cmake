# Builds with musl in place of glibc: one static file. Debian's musl-gcc is the usual compiler with other headers and start files.
set(TRIPLET x86_64-linux-musl)
set(TOOLS "")
set(COMPILER musl-gcc)
set(PROCESSOR x86_64)
set(EMULATOR "")
include(${CMAKE_CURRENT_LIST_DIR}/cross.cmake)
