/* The types, with the names of QEMU's schema. What an answer of ours never has is left out. */
#include "qmp_types.h"

// clang-format off
const QmpType qmp_types[] = {
    /* The program. */
    {"VersionTriple", "major:int minor:int micro:int"},
    {"VersionInfo", "qemu:VersionTriple package:str"},
    {"TargetInfo", "arch:SysEmuTarget"},
    {"SysEmuTarget", "=i386 x86_64"},
    {"KvmInfo", "enabled:bool present:bool"},
    {"NameInfo", "*name:str"},
    {"UuidInfo", "UUID:str"},
    {"CommandInfo", "name:str"},
    {"MachineInfo", "name:str *alias:str *is-default:bool cpu-max:int hotpluggable-cpus:bool numa-mem-supported:bool deprecated:bool *default-cpu-type:str *default-ram-id:str"},
    {"CpuDefinitionInfo", "name:str *migration-safe:bool static:bool *unavailable-features:[str] typename:str deprecated:bool"},
    {"CommandLineParameterType", "=string boolean number size"},
    {"CommandLineParameterInfo", "name:str type:CommandLineParameterType *help:str"},
    {"CommandLineOptionInfo", "option:str parameters:[CommandLineParameterInfo]"},
    {"SchemaInfo", "name:str meta-type:SchemaMetaType *features:[str] ..."},
    {"SchemaMetaType", "=builtin enum array object alternate command event"},
    {"QMPCapability", "=oob"},

    /* Running. */
    {"RunState", "=debug inmigrate internal-error io-error paused postmigrate prelaunch finish-migrate restore-vm running save-vm shutdown suspended watchdog guest-panicked colo"},
    {"StatusInfo", "running:bool singlestep:bool status:RunState"},
    {"ShutdownCause", "=none host-error host-qmp-quit host-qmp-system-reset host-signal host-ui guest-shutdown guest-reset guest-panic subsystem-reset snapshot-load"},
    {"RebootAction", "=reset shutdown"},
    {"ShutdownAction", "=poweroff pause"},
    {"GuestPanicAction", "=pause poweroff run"},
    {"CpuInstanceProperties", "*socket-id:int *core-id:int *thread-id:int"},
    {"CpuInfoFast", "cpu-index:int qom-path:str thread-id:int *props:CpuInstanceProperties target:SysEmuTarget"},
    {"MemoryInfo", "base-memory:int *plugged-memory:int"},
    {"IOThreadInfo", "id:str thread-id:int"},
    {"ImageFormat", "=ppm png"},

    /* Objects and their properties. */
    {"ObjectPropertyInfo", "name:str type:str *description:str *default-value:any"},
    {"ObjectTypeInfo", "name:str *abstract:bool *parent:str"},

    /* Input. */
    {"KeyValueKind", "=number qcode"},
    {"KeyValue", "type:KeyValueKind data:any"},
    {"InputEventKind", "=key btn rel abs"},
    {"InputEvent", "type:InputEventKind data:any"},

    /* What is plugged in. */
    {"PciDeviceClass", "*desc:str class:int"},
    {"PciDeviceId", "device:int vendor:int *subsystem:int *subsystem-vendor:int"},
    {"PciMemoryRegion", "bar:int type:str address:int size:int *prefetch:bool *mem_type_64:bool"},
    {"PciDeviceInfo", "bus:int slot:int function:int class_info:PciDeviceClass id:PciDeviceId *irq:int irq_pin:int qdev_id:str regions:[PciMemoryRegion]"},
    {"PciInfo", "bus:int devices:[PciDeviceInfo]"},
    {"MouseInfo", "name:str index:int current:bool absolute:bool"},
    {"CurrentMachineParams", "wakeup-suspend-support:bool"},
    {"HostMemPolicy", "=default preferred bind interleave"},
    {"Memdev", "*id:str size:int merge:bool dump:bool prealloc:bool share:bool *reserve:bool host-nodes:[int] policy:HostMemPolicy"},
    {"ReplayMode", "=none record play"},
    {"ReplayInfo", "mode:ReplayMode *filename:str icount:int"},
    {"BalloonInfo", "actual:int"},
    {"DisplayType", "=default none gtk sdl egl-headless curses cocoa spice-app dbus"},
    {"DisplayOptions", "type:DisplayType"},

    /* Character devices and descriptors. */
    {"ChardevBackendInfo", "name:str"},
    {"ChardevInfo", "label:str filename:str frontend-open:bool"},

    /* VNC. */
    {"NetworkAddressFamily", "=ipv4 ipv6 unix vsock unknown"},
    {"VncInfo", "enabled:bool *host:str *family:NetworkAddressFamily *service:str *auth:str"},
    {"VncPrimaryAuth", "=none vnc ra2 ra2ne tight ultra tls vencrypt sasl"},
    {"VncServerInfo2", "host:str service:str family:NetworkAddressFamily websocket:bool auth:VncPrimaryAuth"},
    {"VncInfo2", "id:str server:[VncServerInfo2] clients:[any] auth:VncPrimaryAuth"},
    {"SetPasswordAction", "=keep fail disconnect"},

    /* Storage. */
    {"BlockDeviceIoStatus", "=ok failed nospace"},
    {"BlockdevCacheInfo", "writeback:bool direct:bool no-flush:bool"},
    {"ImageInfo", "filename:str format:str *dirty-flag:bool *actual-size:int virtual-size:int *cluster-size:int *encrypted:bool *compressed:bool *backing-filename:str *full-backing-filename:str *backing-filename-format:str"},
    {"BlockDeviceInfo", "file:str *node-name:str *dirty-bitmaps:[BlockDirtyInfo] ro:bool drv:str *backing_file:str backing_file_depth:int encrypted:bool detect_zeroes:BlockdevDetectZeroesOptions bps:int bps_rd:int bps_wr:int iops:int iops_rd:int iops_wr:int image:ImageInfo cache:BlockdevCacheInfo write_threshold:int"},
    {"BlockdevDetectZeroesOptions", "=off on unmap"},
    {"BlockInfo", "device:str *qdev:str type:str removable:bool locked:bool *inserted:BlockDeviceInfo *tray_open:bool *io-status:BlockDeviceIoStatus"},
    {"BlockDeviceStats", "rd_bytes:int wr_bytes:int unmap_bytes:int rd_operations:int wr_operations:int flush_operations:int unmap_operations:int rd_total_time_ns:int wr_total_time_ns:int flush_total_time_ns:int unmap_total_time_ns:int wr_highest_offset:int rd_merged:int wr_merged:int unmap_merged:int *idle_time_ns:int failed_rd_operations:int failed_wr_operations:int failed_flush_operations:int failed_unmap_operations:int invalid_rd_operations:int invalid_wr_operations:int invalid_flush_operations:int invalid_unmap_operations:int account_invalid:bool account_failed:bool timed_stats:[any]"},
    {"BlockStats", "*device:str *qdev:str *node-name:str stats:BlockDeviceStats *parent:BlockStats *backing:BlockStats"},

    {"BlockdevChangeReadOnlyMode", "=retain read-only read-write"},
    {"BlockdevCreateOptions", "driver:str *size:int *filename:str *file:str *backing-file:str *backing-fmt:str *cluster-size:int ..."},
    {"NewImageMode", "=existing absolute-paths"},
    {"TransactionActionKind", "=blockdev-snapshot blockdev-snapshot-sync blockdev-backup drive-backup block-dirty-bitmap-add block-dirty-bitmap-remove block-dirty-bitmap-clear block-dirty-bitmap-enable block-dirty-bitmap-disable block-dirty-bitmap-merge abort"},
    {"BlockDirtyInfo", "*name:str count:int granularity:int recording:bool busy:bool persistent:bool"},
    {"BitmapSyncMode", "=on-success never always"},
    {"TransactionAction", "type:TransactionActionKind data:any"},
    {"JobType", "=commit stream mirror backup create"},
    {"BlockJobInfo", "type:JobType device:str len:int offset:int busy:bool paused:bool speed:int io-status:BlockDeviceIoStatus ready:bool status:JobStatus auto-finalize:bool auto-dismiss:bool *error:str"},
    {"MirrorSyncMode", "=top full none incremental bitmap"},
    {"MirrorCopyMode", "=background"},
    {"BlockdevOnError", "=report"},
    {"JobStatus", "=undefined created running paused ready standby waiting pending aborting concluded null"},
    {"JobInfo", "id:str type:JobType status:JobStatus current-progress:int total-progress:int *error:str"},

    /* State that goes out or comes in. */
    {"DumpGuestMemoryFormat", "=elf"},
    {"DumpGuestMemoryCapability", "formats:[DumpGuestMemoryFormat]"},
    {"DumpStatus", "=none active completed failed"},
    {"DumpQueryResult", "status:DumpStatus completed:int total:int"},
    {"MigrationCapability", "=auto-converge events return-path"},
    {"MigrationCapabilityStatus", "capability:MigrationCapability state:bool"},
    {"MigrationStatus", "=none setup cancelling cancelled active completed failed"},
    {"MigrationStats", "total:int transferred:int remaining:int duplicate:int skipped:int normal:int normal-bytes:int dirty-pages-rate:int mbps:number dirty-sync-count:int page-size:int"},
    {"MigrationInfo", "*status:MigrationStatus *ram:MigrationStats *disk:MigrationStats *total-time:int *downtime:int *expected-downtime:int *setup-time:int *cpu-throttle-percentage:int *error-desc:str"},
    {"MigrationParameters", "*max-bandwidth:int *downtime-limit:int *throttle-trigger-threshold:int *cpu-throttle-initial:int *cpu-throttle-increment:int *max-cpu-throttle:int"},
    {NULL, NULL},
};
// clang-format on
