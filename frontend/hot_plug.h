/* Devices that come and go while the machine runs: those on USB. */
#ifndef REPRISE_HOT_PLUG_H
#define REPRISE_HOT_PLUG_H

#include "block.h"
#include "machine.h"
#include "settings.h"

/* Plugs in what 'text' says as -device does. 'medium', where it is not NULL, is held for what
 * drive= names; else that was named by -drive or -blockdev, or by hot_plug_drive(). On the
 * machine's thread, as the next. */
bool hot_plug_device(Settings *settings, Machine *machine, const char *text, BlockNode *medium,
                     Error *error);
/* Pulls out what has this id, and tells (MACHINE_EVENT_DEVICE_DELETED). */
bool hot_unplug_device(Settings *settings, Machine *machine, const char *id, Error *error);
/* Names an image, as '-drive if=none' does; forgets it, where no device has it. */
bool hot_plug_drive(Settings *settings, const char *text, Error *error);
bool hot_forget_drive(Settings *settings, const char *id, Error *error);
/* Names a block node that somebody opened. */
bool hot_plug_node(Settings *settings, const char *name, const char *path, const char *format,
                   bool read_only, Error *error);

#endif
