# Builds for 64-bit RISC-V.
set(TRIPLET riscv64-linux-gnu)
set(PROCESSOR riscv64)
set(EMULATOR qemu-riscv64-static)
include(${CMAKE_CURRENT_LIST_DIR}/cross.cmake)
