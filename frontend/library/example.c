/* A small user of the library: starts a floppy image without a screen, waits for a text on it,
 * types something, and prints the screen; then tries the same from there again in a clone.
 *
 *     cc example.c $(pkg-config --cflags --libs reprise) -o example
 *     ./example IMAGE TEXT KEYS */
#include <reprise.h>
#include <stdio.h>

static int fail(const char *what, const RepriseError *error) {
    fprintf(stderr, "%s: %s\n", what, error->message);
    return 1;
}

/* Types, gives the guest a second, and shows what came of it. */
static int try(RepriseMachine *machine, const char *keys) {
    RepriseError error;
    if (!reprise_type(machine, keys, &error))
        return fail("typing", &error);
    reprise_run_time(machine, REPRISE_SECOND);
    char *text = reprise_read_text(machine);
    printf("%s\n", text != NULL ? text : "(graphics)");
    printf("%llu instructions, state %016llx\n",
           (unsigned long long)reprise_instruction_count(machine),
           (unsigned long long)reprise_state_hash(machine));
    reprise_free(text);
    return 0;
}

int main(int argc, char **argv) {
    RepriseError error;
    if (argc != 4) {
        fprintf(stderr, "usage: %s IMAGE TEXT KEYS\n", argv[0]);
        return 2;
    }
    RepriseMachine *machine = reprise_create();
    /* Time counted in instructions: every run is the same. */
    const char *const options[] = {"-m", "16", "-icount", "shift=3", "-snapshot", argv[1]};
    int status = 0;
    if (!reprise_add_options(machine, options, 6, &error) || !reprise_build(machine, &error)) {
        status = fail(argv[1], &error);
    } else if (reprise_run_until_text(machine, 60 * REPRISE_SECOND, argv[2]) != REPRISE_MET) {
        fprintf(stderr, "'%s' does not come\n", argv[2]);
        status = 1;
    } else {
        RepriseMachine *clone = reprise_clone(machine, &error);
        status =
            clone != NULL ? try(machine, argv[3]) || try(clone, argv[3]) : fail("clone", &error);
        reprise_destroy(clone);
    }
    reprise_destroy(machine);
    return status;
}
