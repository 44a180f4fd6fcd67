/* The table of monitor commands, and what their handlers share. */
#ifndef REPRISE_MONITOR_COMMAND_H
#define REPRISE_MONITOR_COMMAND_H

#include "error.h"
#include "monitor.h"

typedef bool MonitorHandler(Monitor *monitor, char *arguments, Error *error);

typedef struct MonitorCommand {
    const char *name;
    const char *short_name; /* "c" for "cont"; may be NULL */
    const char *parameters; /* as 'help' shows them */
    const char *help;
    MonitorHandler *run;
    bool on_machine; /* runs on the machine's thread, between two instructions */
} MonitorCommand;

/* Both end with a row without name. monitor_command_table.c */
extern const MonitorCommand monitor_commands[];
extern const MonitorCommand monitor_info_commands[];

/* Runs the command of 'table' that 'line' begins with; 'prefix' ("" or "info ") is for messages. */
bool monitor_run_command(Monitor *monitor, const MonitorCommand *table, const char *prefix,
                         char *line, Error *error);

#define monitor_print(monitor, ...) byte_buffer_print(&(monitor)->output, __VA_ARGS__)

/* monitor_vnc.c: what 'set_password' and 'change vnc password' do. */
bool monitor_set_vnc_password(Monitor *monitor, const char *password, Error *error);

/* The processor that commands look at. */
struct Cpu *monitor_cpu(const Monitor *monitor);
/* The number of a processor that 'word' names; NULL leaves '*number' as it is. */
bool monitor_parse_processor(const Monitor *monitor, const char *word, unsigned *number,
                             Error *error);

/* Cuts the next word off (a quoted one may hold spaces); NULL at the end. */
char *monitor_next_word(char **arguments);

/* monitor_control.c */
MonitorHandler monitor_stop, monitor_continue, monitor_reset, monitor_power_down, monitor_sleep,
    monitor_wake_up, monitor_quit, monitor_help;
MonitorHandler monitor_info, monitor_nmi, monitor_log;
/* monitor_status.c */
MonitorHandler monitor_info_status, monitor_info_version, monitor_info_name, monitor_info_jit;
/* monitor_history.c */
MonitorHandler monitor_reverse_step, monitor_last_write, monitor_last_flag;
/* monitor_gdb.c */
MonitorHandler monitor_gdb_server;
/* monitor_speed.c */
MonitorHandler monitor_speed;
/* monitor_processors.c */
MonitorHandler monitor_select_processor, monitor_info_cpus;
/* monitor_registers.c */
MonitorHandler monitor_info_registers;
/* monitor_paging.c */
MonitorHandler monitor_info_mem, monitor_info_tlb;
/* monitor_interrupts.c */
MonitorHandler monitor_info_pic, monitor_info_lapic, monitor_info_irq;
/* monitor_devices.c */
MonitorHandler monitor_info_block, monitor_info_device, monitor_info_hash, monitor_info_post;
/* monitor_hot_plug.c */
MonitorHandler monitor_device_add, monitor_device_del, monitor_drive_add, monitor_drive_del;
/* monitor_pci.c, monitor_tree.c, monitor_map.c */
MonitorHandler monitor_info_pci, monitor_info_qtree, monitor_info_mtree, monitor_info_roms,
    monitor_info_usb;
/* monitor_memory.c */
MonitorHandler monitor_examine, monitor_examine_physical, monitor_evaluate, monitor_port_read,
    monitor_port_write;
/* monitor_lookup.c */
MonitorHandler monitor_find_physical, monitor_sum, monitor_info_mice, monitor_info_uuid,
    monitor_info_kvm;
MonitorHandler monitor_save_memory, monitor_save_physical, monitor_dump_memory;
/* monitor_input.c */
MonitorHandler monitor_joystick, monitor_send_key, monitor_mouse_move, monitor_mouse_button;
/* monitor_screen.c */
MonitorHandler monitor_screendump, monitor_screentext;
/* monitor_snapshot.c */
MonitorHandler monitor_save_snapshot, monitor_load_snapshot, monitor_delete_snapshot,
    monitor_info_snapshots;
/* monitor_network.c */
MonitorHandler monitor_info_network, monitor_info_usernet, monitor_set_link, monitor_add_forward,
    monitor_remove_forward;
/* monitor_migration.c */
MonitorHandler monitor_migrate, monitor_migrate_cancel, monitor_migrate_incoming,
    monitor_migrate_set_parameter, monitor_migrate_set_capability, monitor_info_migrate,
    monitor_info_migrate_parameters, monitor_info_migrate_capabilities;
/* monitor_vnc.c */
MonitorHandler monitor_set_password;
MonitorHandler monitor_info_display;
MonitorHandler monitor_record_video, monitor_stop_video, monitor_info_video;
/* monitor_media.c */
MonitorHandler monitor_change, monitor_eject;

#endif
