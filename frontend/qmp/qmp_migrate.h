/* The machine's move, told to clients. */
#ifndef REPRISE_QMP_MIGRATE_H
#define REPRISE_QMP_MIGRATE_H

#include "qmp_server.h"

/* Sends the events MIGRATION and MIGRATION_PASS from now on. */
void qmp_migration_observe(QmpServer *server);

#endif
