# Builds for AArch64.
set(TRIPLET aarch64-linux-gnu)
set(PROCESSOR aarch64)
set(EMULATOR qemu-aarch64-static)
include(${CMAKE_CURRENT_LIST_DIR}/cross.cmake)
