/* See host_library.h. */
#include "host_library.h"
#include "host_windows.h"
#include <string.h>

bool host_library_load(const char *file, const char *const *names, size_t count, void *functions,
                       Error *error) {
    HMODULE library = LoadLibraryA(file);
    if (library == NULL)
        return error_set(error, "cannot load the library '%s': error %lu", file, GetLastError());
    for (size_t i = 0; i < count; i++) {
        FARPROC function = GetProcAddress(library, names[i]);
        if (function == NULL)
            return error_set(error, "cannot use '%s': it has no %s", file, names[i]);
        memcpy((char *)functions + i * sizeof(function), &function, sizeof(function));
    }
    return true;
}
