/* Pages by VirtualAlloc() and sections. A file of memory is a temporary file that goes when it is
 * closed. */
#include "host_file.h"
#include "host_pages.h"
#include "host_windows.h"
#include <string.h>

size_t host_pages_size(void) {
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    return info.dwPageSize;
}

void *host_pages_map(size_t size) {
    return VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

void *host_pages_map_large(size_t size) {
    return host_pages_map(size);
}

int host_pages_create_file(const char *name) {
    (void)name;
    return host_file_open_temporary(NULL);
}

/* Maps the file at 'area', or anywhere if that is NULL. */
static void *map_view(int file, size_t size, DWORD protection, DWORD access, void *area) {
    HANDLE section = CreateFileMappingW(host_windows_handle(file), NULL, protection,
                                        (DWORD)((uint64_t)size >> 32), (DWORD)size, NULL);
    void *memory = section != NULL ? MapViewOfFileEx(section, access, 0, 0, size, area) : NULL;
    if (section != NULL)
        CloseHandle(section);
    return memory;
}

void *host_pages_map_shared(const char *name, size_t size, int *file) {
    *file = host_pages_create_file(name);
    void *memory = NULL;
    if (*file >= 0 && ftruncate(*file, (off_t)size) == 0)
        memory = map_view(*file, size, PAGE_READWRITE, FILE_MAP_WRITE, NULL);
    if (memory == NULL && *file >= 0) {
        close(*file);
        *file = -1;
    }
    return memory;
}

void *host_pages_map_file(int file, size_t size, bool writable) {
    return map_view(file, size, writable ? PAGE_READWRITE : PAGE_READONLY,
                    writable ? FILE_MAP_WRITE : FILE_MAP_READ, NULL);
}

/* In between another thread might get the addresses: then this fails, and nothing is mapped there.
 * Its caller gives up the machine. */
bool host_pages_map_copy(void *area, size_t size, int file) {
    host_pages_unmap(area, size);
    return map_view(file, size, PAGE_WRITECOPY, FILE_MAP_COPY, area) == area;
}

bool host_pages_fill(void *area, size_t size, int64_t value) {
    for (int64_t *cell = area; (uint8_t *)cell < (uint8_t *)area + size; cell++)
        *cell = value;
    return true;
}

void host_pages_unmap(void *memory, size_t size) {
    MEMORY_BASIC_INFORMATION info;
    (void)size;
    if (memory == NULL || VirtualQuery(memory, &info, sizeof(info)) == 0)
        return;
    if (info.Type == MEM_MAPPED)
        UnmapViewOfFile(memory);
    else
        VirtualFree(memory, 0, MEM_RELEASE);
}

/* There are no seals: that nobody writes any more is all that is needed. */
bool host_pages_seal(int file) {
    (void)file;
    return true;
}

bool host_pages_find_data(int file, uint64_t at, uint64_t *begin, uint64_t *end) {
    off_t length = lseek(file, 0, SEEK_END);
    *begin = at;
    *end = (uint64_t)length;
    return length > 0 && at < (uint64_t)length;
}

void host_pages_map_code(size_t size, void **writable, void **executable) {
    HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_EXECUTE_READWRITE,
                                        (DWORD)((uint64_t)size >> 32), (DWORD)size, NULL);
    *writable = *executable = NULL;
    if (section == NULL)
        return;
    *writable = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, size);
    *executable = MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_EXECUTE, 0, 0, size);
    CloseHandle(section);
}

bool host_pages_make_executable(void *writable, size_t size) {
    DWORD before;
    return VirtualProtect(writable, size, PAGE_EXECUTE_READWRITE, &before) != 0;
}

void *host_pages_map_marker(int file) {
    (void)file;
    return NULL;
}

bool host_pages_run_code(void) {
    return false;
}
