/* The QMP server: what libvirt, Packer, openQA and scripts drive a machine by. JSON over a socket,
 * with QEMU's command names, errors and events. */
#ifndef REPRISE_QMP_H
#define REPRISE_QMP_H

#include "program.h"

/* Serves all monitors of the program that speak QMP. */
extern const ProgramPart qmp_program_part;

#endif
