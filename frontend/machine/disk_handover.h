/* The images that a machine writes go from one process to another, with the machine. */
#ifndef REPRISE_DISK_HANDOVER_H
#define REPRISE_DISK_HANDOVER_H

#include "error.h"
#include "machine.h"

/* Whether all drives can go on elsewhere: an error where one keeps what is written in this process
 * (snapshot=on, a folder). What was written is in the images afterwards. The machine's thread. */
bool machine_settle_disks(Machine *machine, Error *error);

/* Writes back what there is and gives the locks of all images up. On an error they are this
 * process's as before. The machine does not run. Its thread. */
bool machine_give_disks(Machine *machine, Error *error);

/* Gets the locks, and looks at the images anew; nothing where they are this process's. An error
 * while another process has one. Any thread. */
bool machine_take_disks(Machine *machine, Error *error);

/* The machine was made for a state that comes (MachineConfig.incoming), or gave its images up. Any
 * thread that the machine's waits for. */
bool machine_lacks_disks(const Machine *machine);
/* Whether it writes to an image at all: then the image's lock tells whose it is. */
bool machine_shares_disks(const Machine *machine);

#endif
