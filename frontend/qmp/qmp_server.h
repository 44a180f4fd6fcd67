/* Inside the server: its sessions, and what commands of several kinds share. */
#ifndef REPRISE_QMP_SERVER_H
#define REPRISE_QMP_SERVER_H

#include "memory_dump.h"
#include "qmp_command.h"

#define QMP_FILES 16

/* A descriptor that came by getfd. */
typedef struct QmpFile {
    char *name; /* NULL: free */
    int fd;
} QmpFile;

typedef struct QmpSession {
    struct QmpServer *server;
    CharacterDevice *device;
    json_tokener *tokener;
    size_t message_bytes; /* of the message that is coming in */
    bool pretty;
    bool negotiated; /* the client has sent qmp_capabilities */
} QmpSession;

#define QMP_NODES 96

/* A named block node. */
typedef struct QmpNode {
    char name[64];   /* "": free */
    char driver[32]; /* "file", or the format */
    char child[64];  /* the node that it lies on; "": its own file */
    char *path;
    char backing[64]; /* the node that its image lies over, where a client said so */
    bool is_file, read_only;
    bool covers_nothing; /* opened with "backing": null: may be laid over another */
    BlockNode *open;     /* held; NULL for what is a name alone */
} QmpNode;

#define QMP_JOBS 32
#define QMP_BITMAPS 64

/* Work that a client follows. */
typedef struct QmpJob {
    char *id; /* NULL: free */
    const char *type, *status;
    Error error;
    struct QmpBlockJob *work; /* NULL: its work is done already */
    bool auto_finalize, auto_dismiss;
} QmpJob;

/* Guest memory on its way to a file; qmp_dump.c. */
typedef struct QmpDump {
    bool tried;
    MemoryDump *dump; /* NULL: none is written */
    int fd;
    pthread_t thread;
    bool has_thread;
    bool finished; /* atomic */
    MemoryDumpProgress progress;
    uint64_t total;
    Error error;
} QmpDump;

typedef struct QmpServer {
    Program *program;
    QmpSession session[SETTINGS_MONITORS];
    int session_count;
    QmpFile file[QMP_FILES];
    QmpNode node[QMP_NODES];
    QmpJob job[QMP_JOBS];
    struct DirtyBitmap *bitmap[QMP_BITMAPS]; /* NULL: free */
    json_object *waiting_events;             /* of handlers on the machine's thread; NULL: none */
    uint32_t mouse_buttons;                  /* that input-send-event holds down */
    uint32_t place[2];                       /* where it has the pointer: x, y */
    bool place_changed;                      /* and the machine was not told */
    bool migration_events;                   /* as the client wants them */
    QmpDump dump;
} QmpServer;

/* qmp_session.c */
bool qmp_session_open(QmpSession *session, QmpServer *server, CharacterDevice *device, bool pretty);
void qmp_session_close(QmpSession *session);
/* What a client sent; the session is opaque so that a character device may call it. */
void qmp_session_receive(void *session, const uint8_t *data, size_t size);
/* One line; takes 'message'. */
void qmp_session_send(QmpSession *session, json_object *message);
/* Events go to those who have negotiated. */
void qmp_session_send_event(QmpSession *session, json_object *event);

/* The descriptor that came under this name, which is forgotten; -1: none. qmp_character.c */
int qmp_take_file(QmpServer *server, const char *name);

/* qmp_jobs.c: tells how jobs got on; ends all. */
void qmp_jobs_serve(QmpServer *server);
void qmp_jobs_free(QmpServer *server);

/* qmp_bitmaps.c */
void qmp_bitmaps_free(QmpServer *server);

/* qmp_dump.c */
void qmp_dump_serve(QmpServer *server);
void qmp_dump_free(QmpServer *server);

/* What the machine told since the last time. */
void qmp_serve_events(QmpServer *server);
json_object *qmp_event_create(const char *name, json_object *data, int64_t seconds,
                              int64_t microseconds);

#endif
