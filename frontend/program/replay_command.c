/* See replay_command.h. */
#include "replay_command.h"
#include "command_line.h"
#include "machine_parts.h"
#include "machine_recording.h"
#include "machine_snapshot.h"
#include "program.h"
#include "recording_description.h"
#include "screenshot.h"
#include "snapshot_of_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_DIFFER = 6 };

typedef struct ReplayWords {
    const char *path, *screen;
    uint64_t until;
    int used; /* words of argv */
} ReplayWords;

static bool read_words(ReplayWords *words, int argc, char **argv, Error *error) {
    *words = (ReplayWords){.until = UINT64_MAX};
    int i = 0;
    for (; i < argc && (argv[i][0] != '-' || strncmp(argv[i], "--", 2) == 0); i++) {
        char *end = NULL;
        if (argv[i][0] != '-' && words->path == NULL) {
            words->path = argv[i];
        } else if (strcmp(argv[i], "--until") == 0 && i + 1 < argc) {
            words->until = strtoull(argv[++i], &end, 0);
            if (*argv[i] == '\0' || *end != '\0')
                return error_set(error, "--until: '%s' is not a number", argv[i]);
        } else if (strcmp(argv[i], "--screen") == 0 && i + 1 < argc) {
            words->screen = argv[++i];
        } else {
            return error_set(error,
                             "'%s': reprise replay takes FILE, --until INSTRUCTION, "
                             "--screen PICTURE and machine options",
                             argv[i]);
        }
    }
    words->used = i;
    return words->path != NULL || error_set(error, "name the recording");
}

static bool run_to(Machine *machine, uint64_t until) {
    machine_set_run_state(machine, RUN_STATE_RUNNING);
    for (;;) {
        uint64_t count = machine_count_instructions(machine);
        if (count >= until)
            return true;
        uint64_t left = until - count;
        machine_run_slice(machine, left > INT64_MAX ? INT64_MAX : (int64_t)left, false);
        if (machine->replay->end != REPLAY_GOES_ON)
            return machine->replay->end != REPLAY_DIVERGED;
        /* A machine that ended stays so; the log may go on with its reset. */
        if (machine->run_state != RUN_STATE_RUNNING) {
            machine_set_run_state(machine, RUN_STATE_PAUSED);
            machine_set_run_state(machine, RUN_STATE_RUNNING);
        }
    }
}

static void print_result(Machine *machine, const Replay *replay) {
    static const char *const ends[] = {
        [REPLAY_GOES_ON] = "stopped where it was asked to",
        [REPLAY_AT_END] = "the state at the end is the recorded one",
        [REPLAY_CUT_SHORT] = "the recording is cut off there",
        [REPLAY_AT_BREAK] = "the recording cannot be replayed further",
    };
    printf("%llu instructions, %.3f s of guest time: %s\n",
           (unsigned long long)machine_count_instructions(machine),
           (double)clock_now_ns(&machine->clock) / 1e9, ends[replay->end]);
    if (replay->error.set)
        printf("%s\n", replay->error.message);
    printf("state hash %016llx\n", (unsigned long long)machine_state_hash(machine));
}

static int replay_alone(Machine *machine, const ReplayWords *words, Replay *replay, Error *error) {
    bool same = run_to(machine, words->until);
    if (words->screen != NULL && !screenshot_write(machine, words->screen, NULL, error))
        return 1;
    if (!same) {
        fprintf(stderr, "reprise: %s\n", replay->error.message);
        return STATUS_DIFFER;
    }
    print_result(machine, replay);
    return 0;
}

static int replay(RepriseMachine *library, const ProgramPart *part, const ReplayWords *words,
                  const Recording *recording, Error *error) {
    Replay run = {.paced = false};
    Settings *settings = library_settings(library);
    if (settings->display != DISPLAY_NONE || settings->gdb_address != NULL ||
        settings->monitor_count > 0) {
        int status = 0;
        settings->replay = recording;
        program_run(library, part, &status, error);
        return error->set ? 1 : status;
    }
    RepriseError outer;
    library_set_served(library);
    /* A recording that holds no state may begin at a snapshot. */
    if (machine_recording_has_state(recording))
        settings->load_snapshot = NULL;
    if (!reprise_build(library, &outer))
        return library_take(error, &outer), 1;
    Machine *machine = library_inside(library);
    int status = 1;
    if (machine_replay_recording(machine, recording, &run, error))
        status = replay_alone(machine, words, &run, error);
    library_end(library);
    return library_finish_coverage(library, error) ? status : 1;
}

int replay_command(RepriseMachine *library, const ProgramPart *part, int argc, char **argv,
                   Error *error) {
    ReplayWords words;
    Recording recording;
    Settings *settings = library_settings(library);
    if (!read_words(&words, argc, argv, error) || !recording_read(&recording, words.path, error))
        return 1;
    int status = 1;
    bool good = recording_make_settings(&recording.description, words.path, settings, error) &&
                command_line_parse_more(settings, argc - words.used, argv + words.used, error);
    if (good)
        status = replay(library, part, &words, &recording, error);
    recording_free(&recording);
    return status;
}
