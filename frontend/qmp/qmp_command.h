/* The table of QMP commands, and what their handlers share. */
#ifndef REPRISE_QMP_COMMAND_H
#define REPRISE_QMP_COMMAND_H

#include "machine_parts.h"
#include "program.h"
#include "qmp_types.h"

struct QmpServer;
struct QmpSession;

/* The classes of errors that clients tell apart. */
#define QMP_GENERIC_ERROR "GenericError"
#define QMP_COMMAND_NOT_FOUND "CommandNotFound"
#define QMP_DEVICE_NOT_FOUND "DeviceNotFound"

typedef struct QmpCall {
    struct QmpServer *server;
    struct QmpSession *session;
    Program *program;
    Machine *machine;       /* NULL under '-machine none' */
    json_object *arguments; /* checked against the command's; an object in any case */
    json_object *result;    /* the handler's; NULL stands for {} */
    const char *error_class;
    Error error;
} QmpCall;

typedef bool QmpHandler(QmpCall *call);

typedef enum QmpPlace {
    QMP_ANYWHERE,     /* on the main thread, with a machine or without */
    QMP_WITH_MACHINE, /* on the main thread */
    QMP_ON_MACHINE,   /* on the machine's, between two instructions */
} QmpPlace;

typedef struct QmpCommand {
    const char *name;
    const char *arguments; /* members, as in QmpType */
    const char *result;    /* a type, or "[type]"; "": nothing */
    QmpHandler *run;
    QmpPlace place;
    const char *features; /* separated by spaces; may be NULL */
} QmpCommand;

typedef struct QmpEventInfo {
    const char *name;
    const char *data; /* members */
} QmpEventInfo;

/* Both end with a row without name. qmp_command_table.c */
extern const QmpCommand qmp_commands[];
extern const QmpEventInfo qmp_events[];
const QmpCommand *qmp_command_find(const char *name);

/* Fails the call; always false. */
bool qmp_fail(QmpCall *call, const char *class, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Arguments by name; where an optional one is absent 'otherwise', or NULL. */
const char *qmp_get_string(const QmpCall *call, const char *name);
bool qmp_get_bool(const QmpCall *call, const char *name, bool otherwise);
int64_t qmp_get_int(const QmpCall *call, const char *name, int64_t otherwise);
json_object *qmp_get(const QmpCall *call, const char *name);

/* Tells all clients, after the handler; takes 'data', which may be NULL. */
void qmp_send_event(struct QmpServer *server, const char *name, json_object *data);

/* qmp_schema.c */
QmpHandler qmp_query_schema, qmp_query_commands;
/* qmp_identity.c */
QmpHandler qmp_query_version, qmp_query_target, qmp_query_kvm, qmp_query_name, qmp_query_uuid,
    qmp_query_machines, qmp_query_cpu_definitions, qmp_query_command_line_options;
/* qmp_control.c */
QmpHandler qmp_query_status, qmp_stop, qmp_cont, qmp_quit, qmp_system_reset, qmp_system_powerdown,
    qmp_system_wakeup, qmp_inject_nmi, qmp_set_action, qmp_human_monitor_command;
/* qmp_hot_plug.c */
QmpHandler qmp_device_add, qmp_device_del;
/* qmp_vnc.c */
QmpHandler qmp_query_vnc, qmp_change_vnc_password, qmp_set_password, qmp_expire_password,
    qmp_add_client;
/* qmp_machine.c */
QmpHandler qmp_dump_guest_memory, qmp_query_dump, qmp_query_dump_capability; /* qmp_dump.c */
QmpHandler qmp_query_cpus_fast, qmp_query_memory_size_summary, qmp_query_iothreads, qmp_memsave,
    qmp_pmemsave, qmp_screendump, qmp_record_video, qmp_stop_video;
/* qmp_qom.c */
QmpHandler qmp_qom_list, qmp_qom_get, qmp_qom_list_types, qmp_qom_list_properties,
    qmp_device_list_properties;
/* qmp_input.c */
QmpHandler qmp_send_key, qmp_input_send_event;
/* qmp_character.c */
QmpHandler qmp_query_chardev, qmp_getfd, qmp_closefd;
/* qmp_block_query.c */
QmpHandler qmp_query_block, qmp_query_blockstats, qmp_query_named_block_nodes;
/* qmp_media.c */
QmpHandler qmp_blockdev_open_tray, qmp_blockdev_close_tray, qmp_blockdev_remove_medium,
    qmp_blockdev_insert_medium, qmp_eject, qmp_blockdev_change_medium;
/* qmp_block_nodes.c */
QmpHandler qmp_blockdev_add, qmp_blockdev_del, qmp_block_resize, qmp_blockdev_create,
    qmp_blockdev_snapshot, qmp_blockdev_snapshot_sync;
/* qmp_transaction.c */
QmpHandler qmp_transaction;
/* qmp_jobs.c */
QmpHandler qmp_query_jobs, qmp_job_dismiss, qmp_query_block_jobs, qmp_job_cancel, qmp_job_pause,
    qmp_job_resume, qmp_job_complete, qmp_job_finalize, qmp_block_job_cancel, qmp_block_job_pause,
    qmp_block_job_resume, qmp_block_job_complete, qmp_block_job_finalize, qmp_block_job_dismiss,
    qmp_block_job_set_speed;
/* qmp_block_jobs.c */
QmpHandler qmp_drive_backup, qmp_blockdev_backup, qmp_drive_mirror, qmp_blockdev_mirror,
    qmp_block_stream, qmp_block_commit;
/* qmp_bitmaps.c */
QmpHandler qmp_bitmap_add, qmp_bitmap_remove, qmp_bitmap_clear, qmp_bitmap_enable,
    qmp_bitmap_disable, qmp_bitmap_merge;
/* qmp_board.c */
QmpHandler qmp_query_pci, qmp_query_mice, qmp_query_current_machine, qmp_query_memdev,
    qmp_query_replay, qmp_balloon, qmp_query_display_options, qmp_query_vnc_servers,
    qmp_query_chardev_backends;
/* qmp_network.c */
QmpHandler qmp_set_link;
/* qmp_migrate_parameters.c */
QmpHandler qmp_query_migrate_capabilities, qmp_migrate_set_capabilities, qmp_migrate_set_parameters,
    qmp_query_migrate_parameters;
/* qmp_migrate.c */
QmpHandler qmp_migrate, qmp_migrate_incoming, qmp_migrate_cancel, qmp_query_migrate;
/* qmp_session.c: here it only tells that it is too late. */
QmpHandler qmp_capabilities;

#endif
