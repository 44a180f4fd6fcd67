# Builds for s390x, which is big-endian.
set(TRIPLET s390x-linux-gnu)
set(PROCESSOR s390x)
set(EMULATOR qemu-s390x-static)
include(${CMAKE_CURRENT_LIST_DIR}/cross.cmake)
