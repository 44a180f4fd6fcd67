/* See guest_coverage.h. */
#include "allocate.h"
#include "guest_coverage_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool open_output(FILE **output, const char *path, Error *error) {
    if (path == NULL)
        return true;
    *output = fopen(path, "w");
    return *output != NULL || error_set(error, "cannot write '%s': %s", path, strerror(errno));
}

/* What lies above 4 GB is no code of this guest. */
static void add_code(CodeCoverage *executed, const GuestSymbols *symbols) {
    for (size_t i = 0; i < symbols->code_count; i++) {
        const GuestCode *code = &symbols->code[i];
        uint64_t end = (uint64_t)UINT32_MAX + 1;
        if (code->address < end && code->size <= UINT32_MAX)
            code_coverage_add(
                executed, (uint32_t)code->address,
                (uint32_t)(code->size < end - code->address ? code->size : end - code->address),
                code->bytes);
    }
}

static bool read_file(GuestCoverage *coverage, const char *path, Error *error) {
    CoveredFile *file = &coverage->file[coverage->file_count++];
    file->path = path;
    bool has_reader = true;
    if (!guest_symbols_read(&file->symbols, path, error))
        return false;
    if (coverage->executed == NULL)
        return true;
    add_code(coverage->executed, &file->symbols);
    if (!guest_lines_read(&file->lines, path, &has_reader, error))
        return false;
    if (!has_reader)
        fprintf(stderr, "reprise: this build has no libdw: functions are told, not lines\n");
    return file->symbols.code_count > 0 || error_set(error, "%s: it has no code", path);
}

/* A compressed kernel has no symbols that would help. */
static bool read_kernel(GuestCoverage *coverage, const char *kernel, Error *error) {
    GuestSymbols symbols;
    bool has_symbols = kernel != NULL && guest_symbols_read(&symbols, kernel, NULL);
    if (has_symbols)
        guest_symbols_free(&symbols);
    else if (coverage->executed != NULL)
        return error_set(error, "coverage needs a file with the guest's symbols: -symbols FILE");
    return !has_symbols || read_file(coverage, kernel, error);
}

static bool open_all(GuestCoverage *coverage, const char *kernel, Error *error) {
    const GuestCoverageOptions *options = coverage->options;
    if (options->symbols_count == 0 && !read_kernel(coverage, kernel, error))
        return false;
    for (unsigned i = 0; i < options->symbols_count; i++)
        if (!read_file(coverage, options->symbols[i], error))
            return false;
    return open_output(&coverage->coverage_output, options->coverage_path, error) &&
           open_output(&coverage->profile_output, options->profile_path, error);
}

static void free_all(GuestCoverage *coverage) {
    for (unsigned i = 0; i < coverage->file_count; i++) {
        guest_symbols_free(&coverage->file[i].symbols);
        guest_lines_free(&coverage->file[i].lines);
    }
    if (coverage->coverage_output != NULL)
        fclose(coverage->coverage_output);
    if (coverage->profile_output != NULL)
        fclose(coverage->profile_output);
    code_coverage_destroy(coverage->executed);
    code_profile_destroy(coverage->profile);
    free(coverage);
}

bool guest_coverage_is_wanted(const GuestCoverageOptions *options) {
    return options->coverage_path != NULL || options->profile_path != NULL;
}

GuestCoverage *guest_coverage_open(const GuestCoverageOptions *options, const char *kernel,
                                   Error *error) {
    GuestCoverage *coverage = allocate_zeroed(sizeof(*coverage));
    coverage->options = options;
    if (options->coverage_path != NULL)
        coverage->executed = code_coverage_create();
    if (options->profile_path != NULL)
        coverage->profile = code_profile_create();
    if (open_all(coverage, kernel, error))
        return coverage;
    free_all(coverage);
    return NULL;
}

void guest_coverage_attach(const GuestCoverage *coverage, TranslatorOptions *options) {
    options->coverage = coverage->executed;
    options->profile = coverage->profile;
}

static bool finish(FILE **output, const char *path, Error *error) {
    bool good = !ferror(*output);
    good = fclose(*output) == 0 && good;
    *output = NULL;
    return good || error_set(error, "cannot write '%s': %s", path, strerror(errno));
}

bool guest_coverage_finish(GuestCoverage *coverage, Error *error) {
    bool good = true;
    if (coverage == NULL)
        return true;
    if (coverage->coverage_output != NULL) {
        guest_coverage_write_lcov(coverage, coverage->coverage_output);
        good = finish(&coverage->coverage_output, coverage->options->coverage_path, error);
    }
    if (coverage->profile_output != NULL) {
        guest_coverage_write_profile(coverage, coverage->profile_output);
        good = finish(&coverage->profile_output, coverage->options->profile_path, error) && good;
    }
    free_all(coverage);
    return good;
}
