/* What the command line leaves open: default drives and ports, names resolved, what contradicts
 * itself refused. */
#ifndef REPRISE_SETTINGS_FINISH_H
#define REPRISE_SETTINGS_FINISH_H

#include "error.h"
#include "settings.h"

bool settings_finish(Settings *settings, Error *error);

#endif
