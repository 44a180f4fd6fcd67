/* A state on its way out or in. Main thread. */
#ifndef REPRISE_QMP_MIGRATE_H
#define REPRISE_QMP_MIGRATE_H

#include "qmp_server.h"

/* Before the machine starts: with '-incoming' it waits. */
bool qmp_migration_init(QmpServer *server, Error *error);
/* Ends what its thread is through with. */
void qmp_migration_serve(QmpServer *server);
void qmp_migration_free(QmpServer *server);
/* A state comes in, or has come. */
bool server_has_arrival(const QmpServer *server);

#endif
