/* Temporary files, unnamed, so that they go with the process, however that ends. */
#ifndef REPRISE_BLOCK_TEMPORARY_H
#define REPRISE_BLOCK_TEMPORARY_H

#include "error.h"

/* A new file in the folder for temporary files (TMPDIR, or /var/tmp); -1 on error. */
int block_temporary_open(const char *purpose, Error *error);

#endif
