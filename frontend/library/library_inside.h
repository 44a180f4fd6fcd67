/* What the program reaches of a library's machine besides reprise.h: windows, servers and monitors
 * work on the parts themselves. */
#ifndef REPRISE_LIBRARY_INSIDE_H
#define REPRISE_LIBRARY_INSIDE_H

#include "audio_outputs.h"
#include "machine.h"
#include "reprise.h"
#include "settings.h"

/* What its options say; strings in it live as long as the machine. */
Settings *library_settings(RepriseMachine *machine);
/* NULL before reprise_build(). */
Machine *library_inside(RepriseMachine *machine);

/* The caller serves what options ask of a program around a machine - windows, terminals, sockets,
 * sound that is played - and leads the ports there by reprise_set_output(). */
void library_set_served(RepriseMachine *machine);

/* The board goes; what outputs lead to can go then. reprise_destroy() does it as well. */
void library_end(RepriseMachine *machine);

/* Writes what -coverage and -profile ask for, after library_end(); reprise_destroy() does it as
 * well, and keeps silent about errors. */
bool library_finish_coverage(RepriseMachine *machine, Error *error);

/* Errors on their way between the two. */
bool library_tell(RepriseError *error, const Error *inner);
bool library_take(Error *error, const RepriseError *outer);

#endif
