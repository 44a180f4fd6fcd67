/* What of the guest's code runs. */
#include "options.h"

static bool keep_path(const char **path, const char *argument, Error *error) {
    *path = argument;
    return *argument != '\0' || error_set(error, "name a file");
}

bool option_coverage(Settings *settings, const char *argument, Error *error) {
    return keep_path(&settings->coverage.coverage_path, argument, error);
}

bool option_profile(Settings *settings, const char *argument, Error *error) {
    return keep_path(&settings->coverage.profile_path, argument, error);
}

bool option_symbols(Settings *settings, const char *argument, Error *error) {
    GuestCoverageOptions *coverage = &settings->coverage;
    if (coverage->symbols_count == GUEST_COVERAGE_FILES)
        return error_set(error, "%d files are the most", GUEST_COVERAGE_FILES);
    return keep_path(&coverage->symbols[coverage->symbols_count++], argument, error);
}
