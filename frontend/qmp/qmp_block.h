/* Drives and block nodes as QMP names them. All on the machine's thread. */
#ifndef REPRISE_QMP_BLOCK_H
#define REPRISE_QMP_BLOCK_H

#include "block_image.h"
#include "dirty_bitmap.h"
#include "qmp_server.h"

/* The name by which clients find a drive: its device's. */
void qmp_drive_device(const Board *board, const BoardDrive *drive, char *name, size_t size);
/* The name of the -drive that it was made of; "": none. */
const char *qmp_drive_backend(const BoardDrive *drive);
/* Of the node in it; one that nobody named gets a name with "#". */
void qmp_drive_node_name(const Board *board, const BoardDrive *drive, char *name, size_t size);
bool qmp_drive_is_removable(const BoardDrive *drive);

/* BlockDeviceInfo and ImageInfo of a node that is open. */
json_object *qmp_block_device_info(const QmpServer *server, BlockNode *node, const char *node_name,
                                   const char *driver);
json_object *qmp_image_info(BlockNode *node);

/* qmp_block_graph.c: the nodes that options and commands named. */
void qmp_graph_init(QmpServer *server);
void qmp_graph_free(QmpServer *server);
QmpNode *qmp_graph_find(QmpServer *server, const char *name);
/* The next free place; NULL: too many. */
QmpNode *qmp_graph_add(QmpServer *server, const char *name);
void qmp_graph_remove(QmpNode *node);
/* Appends the statistics of all nodes. */
void qmp_list_node_stats(QmpCall *call, json_object *(*describe)(const BlockCounters *counters));

/* The drive that it is in; NULL: none. */
BoardDrive *qmp_graph_drive(QmpCall *call, const QmpNode *node);
/* The drive that a command names; NULL after failing the call. */
BoardDrive *qmp_find_drive(QmpCall *call);

/* A node by its own name, or that of the drive that it is in; NULL after failing the call.
 * qmp_block_jobs.c */
BlockNode *qmp_find_node(QmpCall *call, const char *name);

/* qmp_block_nodes.c: whether what a command asks for can be done, and doing it. */
bool qmp_snapshot_check(QmpCall *call, const char *node, const char *overlay);
bool qmp_snapshot_cover(QmpCall *call, const char *node, const char *overlay);

/* qmp_bitmaps.c: NULL after failing the call; with 'idle' one that is in use is an error, too. */
DirtyBitmap *qmp_bitmap_find(QmpCall *call, const char *node, const char *name, bool idle);
/* Those of a node, as clients are told; NULL: there are none. */
json_object *qmp_bitmaps_describe(const QmpServer *server, const BlockNode *node);

/* qmp_jobs.c: NULL after failing the call. */
QmpJob *qmp_job_start(QmpCall *call, const char *id, const char *type);
void qmp_job_finish(QmpCall *call, QmpJob *job, const Error *error);

#endif
