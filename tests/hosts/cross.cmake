# What the tool chain files of this folder share: a cross compiler of Debian, the libraries that fetch_libraries.py unpacks, and
# QEMU's user mode, which runs what was built. TRIPLET, PROCESSOR and EMULATOR are set by who includes it.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${PROCESSOR})
set(CMAKE_C_COMPILER ${TRIPLET}-gcc)
set(CMAKE_OBJDUMP ${TRIPLET}-objdump CACHE FILEPATH "")

get_filename_component(REPRISE_TOP ${CMAKE_CURRENT_LIST_DIR}/../.. ABSOLUTE)
set(REPRISE_SYSROOT ${REPRISE_TOP}/build/hosts/${TRIPLET})
if(DEFINED ENV{REPRISE_HOST_LIBRARIES})
  set(REPRISE_SYSROOT $ENV{REPRISE_HOST_LIBRARIES}/${TRIPLET})
endif()
set(libraries ${REPRISE_SYSROOT}/usr/lib/${TRIPLET})

set(CMAKE_FIND_ROOT_PATH ${REPRISE_SYSROOT})
set(CMAKE_LIBRARY_ARCHITECTURE ${TRIPLET})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(ENV{PKG_CONFIG_LIBDIR} ${libraries}/pkgconfig:${REPRISE_SYSROOT}/usr/share/pkgconfig)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${REPRISE_SYSROOT})
set(CMAKE_C_FLAGS_INIT "-isystem ${REPRISE_SYSROOT}/usr/include -isystem ${REPRISE_SYSROOT}/usr/include/${TRIPLET}")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-L${libraries} -Wl,-rpath-link,${libraries}")

set(CMAKE_CROSSCOMPILING_EMULATOR ${EMULATOR} -L /usr/${TRIPLET} -E LD_LIBRARY_PATH=${libraries})
