/* See host_library.h. */
#include "host_library.h"
#include <dlfcn.h>
#include <string.h>

bool host_library_load(const char *file, const char *const *names, size_t count, void *functions,
                       Error *error) {
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return error_set(error, "cannot load a library: %s", dlerror());
    for (size_t i = 0; i < count; i++) {
        void *function = dlsym(library, names[i]);
        if (function == NULL)
            return error_set(error, "cannot use '%s': %s", file, dlerror());
        memcpy((char *)functions + i * sizeof(function), &function, sizeof(function));
    }
    return true;
}
