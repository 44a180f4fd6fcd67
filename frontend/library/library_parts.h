/* What a RepriseMachine is made of, for the files of this folder. */
#ifndef REPRISE_LIBRARY_PARTS_H
#define REPRISE_LIBRARY_PARTS_H

#include "library_inside.h"
#include "machine_parts.h"

/* The options of a machine and of its clones: they own the strings of the configuration. */
typedef struct LibrarySettings {
    Settings settings;
    GuestCoverage *coverage; /* NULL: nobody wants any */
    int users;               /* atomic: clones live on other threads */
} LibrarySettings;

typedef struct LibraryOutput {
    void (*write)(void *opaque, const uint8_t *bytes, size_t size); /* NULL: nowhere */
    void *opaque;
} LibraryOutput;

struct RepriseMachine {
    LibrarySettings *shared;
    bool served, started;
    Machine *machine; /* NULL before it is built */
    AudioOutputs audio;
    LibraryOutput output[REPRISE_OUTPUTS];
    DisplaySurface screen; /* that was read last */
    bool interrupted;      /* atomic */
};

#endif
