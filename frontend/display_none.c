/* Takes the window's place in a build without SDL. */
#include "display.h"
#include "start_page.h"

Display *display_open(Machine *machine, const DisplayOptions *options, Error *error) {
    (void)machine;
    (void)options;
    error_set(error, "this build has no window; '-display none' runs without one");
    return NULL;
}

void display_close(Display *display) {
    (void)display;
}

bool display_update(Display *display) {
    (void)display;
    return true;
}

int display_wait_ms(const Display *display) {
    (void)display;
    return 0;
}

StartChoice start_page_run(char *path) {
    (void)path;
    return START_NOTHING;
}
