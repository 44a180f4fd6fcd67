/* -sandbox on: system calls that a running machine never needs are taken away from the process. */
#ifndef REPRISE_SANDBOX_H
#define REPRISE_SANDBOX_H

#include "error.h"

/* For this process, all its threads to come, and for good. */
bool sandbox_enter(Error *error);

#endif
