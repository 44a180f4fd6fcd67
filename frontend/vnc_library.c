#include "vnc_library.h"
#include "host_library.h"

bool vnc_library_load(VncLibrary *vnc, Error *error) {
    static const char *const names[] = {
#define NAME_TEXT(name) #name
#define NAME(member, name) NAME_TEXT(name),
        VNC_FUNCTIONS(NAME)
#undef NAME
#undef NAME_TEXT
    };
    return host_library_load(REPRISE_VNC_LIBRARY, names, sizeof(names) / sizeof(names[0]), vnc,
                             error);
}
