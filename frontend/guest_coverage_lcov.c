/* Coverage as a trace file of lcov (geninfo(1), "FILES"): for genhtml, and for whatever shows
 * coverage in an editor or in CI. A count is 1 for what was executed, however often. */
#include "guest_coverage_internal.h"

#include "allocate.h"
#include <stdlib.h>
#include <string.h>

/* One line of a source file; several rows of the table may be of the same one. */
typedef struct LineRecord {
    unsigned file, line;
    bool is_executed;
} LineRecord;

/* One function, executed if its first instruction was; without a line table all are in one file, at
 * line 0. */
typedef struct FunctionRecord {
    unsigned file, line;
    const char *name;
    bool is_executed;
} FunctionRecord;

typedef struct Records {
    LineRecord *lines;
    size_t line_count;
    FunctionRecord *functions;
    size_t function_count;
} Records;

static int compare_places(unsigned file, unsigned line, unsigned other_file, unsigned other_line) {
    if (file != other_file)
        return file < other_file ? -1 : 1;
    return line < other_line ? -1 : line > other_line;
}

static int compare_lines(const void *a, const void *b) {
    const LineRecord *first = a, *second = b;
    return compare_places(first->file, first->line, second->file, second->line);
}

static int compare_functions(const void *a, const void *b) {
    const FunctionRecord *first = a, *second = b;
    int order = compare_places(first->file, first->line, second->file, second->line);
    return order != 0 ? order : strcmp(first->name, second->name);
}

static bool is_executed(const GuestCoverage *coverage, uint64_t address, uint64_t size) {
    return address <= UINT32_MAX && size <= UINT32_MAX &&
           code_coverage_has(coverage->executed, (uint32_t)address, (uint32_t)size);
}

static void collect_lines(const GuestCoverage *coverage, const CoveredFile *file,
                          Records *records) {
    records->lines = allocate_zeroed((file->lines.count + 1) * sizeof(*records->lines));
    for (size_t i = 0; i < file->lines.count; i++) {
        const GuestLine *line = &file->lines.lines[i];
        records->lines[i] =
            (LineRecord){line->file, line->line, is_executed(coverage, line->address, line->size)};
    }
    qsort(records->lines, file->lines.count, sizeof(*records->lines), compare_lines);
    for (size_t i = 0; i < file->lines.count; i++) {
        const LineRecord record = records->lines[i];
        size_t count = records->line_count;
        if (count > 0 && compare_lines(&records->lines[count - 1], &record) == 0)
            records->lines[count - 1].is_executed |= record.is_executed;
        else
            records->lines[records->line_count++] = record;
    }
}

static void collect_functions(const GuestCoverage *coverage, const CoveredFile *file,
                              Records *records) {
    const GuestSymbols *symbols = &file->symbols;
    records->functions = allocate_zeroed((symbols->count + 1) * sizeof(*records->functions));
    for (size_t i = 0; i < symbols->count; i++) {
        const GuestSymbol *symbol = &symbols->symbols[i];
        const GuestLine *line = guest_lines_find(&file->lines, symbol->address);
        if (!guest_symbols_has_code(symbols, symbol->address) ||
            (file->lines.count > 0 && line == NULL))
            continue;
        records->functions[records->function_count++] =
            (FunctionRecord){line == NULL ? 0 : line->file, line == NULL ? 0 : line->line,
                             symbol->name, is_executed(coverage, symbol->address, 1)};
    }
    qsort(records->functions, records->function_count, sizeof(*records->functions),
          compare_functions);
}

static void write_functions(const Records *records, unsigned file, FILE *output) {
    unsigned found = 0, hit = 0;
    for (size_t i = 0; i < records->function_count; i++)
        if (records->functions[i].file == file)
            fprintf(output, "FN:%u,%s\n", records->functions[i].line, records->functions[i].name);
    for (size_t i = 0; i < records->function_count; i++) {
        const FunctionRecord *function = &records->functions[i];
        if (function->file != file)
            continue;
        fprintf(output, "FNDA:%d,%s\n", function->is_executed, function->name);
        found++;
        hit += function->is_executed;
    }
    fprintf(output, "FNF:%u\nFNH:%u\n", found, hit);
}

static void write_lines(const Records *records, unsigned file, FILE *output) {
    unsigned found = 0, hit = 0;
    for (size_t i = 0; i < records->line_count; i++) {
        const LineRecord *line = &records->lines[i];
        if (line->file != file)
            continue;
        fprintf(output, "DA:%u,%d\n", line->line, line->is_executed);
        found++;
        hit += line->is_executed;
    }
    fprintf(output, "LF:%u\nLH:%u\n", found, hit);
}

static void write_file(const GuestCoverage *coverage, const CoveredFile *file, FILE *output) {
    Records records = {.lines = NULL};
    collect_lines(coverage, file, &records);
    collect_functions(coverage, file, &records);
    size_t sources = file->lines.file_count > 0 ? file->lines.file_count : 1;
    for (unsigned i = 0; i < sources; i++) {
        fprintf(output, "TN:\nSF:%s\n",
                file->lines.file_count > 0 ? file->lines.file[i] : file->path);
        write_functions(&records, i, output);
        write_lines(&records, i, output);
        fprintf(output, "end_of_record\n");
    }
    free(records.lines);
    free(records.functions);
}

void guest_coverage_write_lcov(const GuestCoverage *coverage, FILE *output) {
    for (unsigned i = 0; i < coverage->file_count; i++)
        write_file(coverage, &coverage->file[i], output);
}
