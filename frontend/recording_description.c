/* See recording_description.h. */
#include "recording_description.h"
#include "command_line.h"
#include "host_file.h"

#include <stdio.h>
#include <string.h>

/* Options that are not about the guest's machine. */
static const char *const left_out[] = {
    "-record",  "-gdb",     "-s",         "-S",        "-monitor", "-mon",       "-display",
    "-D",       "-d",       "-pidfile",   "-qmp",      "-vnc",     "-nographic", "-full-screen",
    "-perfmap", "-jitdump", "-daemonize", "-coverage", "-profile", "-symbols"};

static bool is_left_out(const char *word) {
    for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
        if (strcmp(word, left_out[i]) == 0 ||
            (word[0] == '-' && strcmp(word + 1, left_out[i]) == 0))
            return true;
    return false;
}

static bool add_file(RecordingDescription *description, const char *path, Error *error) {
    if (path == NULL || description->file_count == RECORDING_FILES || access(path, R_OK) != 0)
        return true; /* "fat:FOLDER" and its like have no one file */
    RecordedFile *file = &description->file[description->file_count++];
    file->path = path;
    return recorded_file_look(file, error);
}

static bool add_files(const MachineConfig *machine, RecordingDescription *description,
                      Error *error) {
    bool good = true;
    for (int i = 0; i < MACHINE_FLOPPIES; i++)
        good = good && add_file(description, machine->floppy[i].file, error);
    for (int i = 0; i < MACHINE_IDE_DRIVES; i++)
        good = good && add_file(description, machine->ide[i].file, error);
    for (int i = 0; i < MACHINE_PCI_DISKS; i++)
        good = good && add_file(description, machine->pci_disk[i].drive.file, error);
    return good && add_file(description, machine->kernel, error) &&
           add_file(description, machine->initrd, error) &&
           add_file(description, machine->bios, error);
}

bool recording_describe(const Settings *settings, RecordingDescription *description, Error *error) {
    *description = (RecordingDescription){.word_count = 0};
    for (int i = 0; i < settings->word_count; i++) {
        const char *word = settings->words[i];
        int count = word[0] == '-' && word[1] != '\0' ? command_line_count_words(word, error) : 1;
        if (count == 0)
            return false;
        for (int part = 0; part < count && i + part < settings->word_count; part++) {
            if (is_left_out(word))
                continue;
            if (description->word_count == RECORDING_WORDS)
                return error_set(error, "the command line is too long to be recorded");
            description->word[description->word_count++] = settings->words[i + part];
        }
        i += count - 1;
    }
    return add_files(&settings->machine, description, error);
}

/* Where the file is now. */
static const char *find_file(Settings *settings, const char *file, const char *recording) {
    char path[4096];
    const char *slash = strrchr(recording, '/'), *name = strrchr(file, '/');
    if (access(file, R_OK) == 0)
        return file;
    snprintf(path, sizeof(path), "%.*s%s", slash == NULL ? 0 : (int)(slash + 1 - recording),
             recording, name == NULL ? file : name + 1);
    return access(path, R_OK) == 0 ? settings_keep_string(settings, path) : file;
}

static bool check_file(Settings *settings, const RecordedFile *then, const char *recording,
                       Error *error) {
    RecordedFile now = {.path = find_file(settings, then->path, recording)};
    if (!recorded_file_look(&now, error))
        return false;
    return (now.bytes == then->bytes && now.fingerprint == then->fingerprint) ||
           error_set(error, "'%s' is not what it was when the run was recorded", now.path);
}

static void move_files(Settings *settings, const char *recording) {
    MachineConfig *machine = &settings->machine;
    const char **files[MACHINE_FLOPPIES + MACHINE_IDE_DRIVES + MACHINE_PCI_DISKS + 3];
    size_t count = 0;
    for (int i = 0; i < MACHINE_FLOPPIES; i++)
        files[count++] = &machine->floppy[i].file;
    for (int i = 0; i < MACHINE_IDE_DRIVES; i++)
        files[count++] = &machine->ide[i].file;
    for (int i = 0; i < MACHINE_PCI_DISKS; i++)
        files[count++] = &machine->pci_disk[i].drive.file;
    files[count++] = &machine->kernel;
    files[count++] = &machine->initrd;
    files[count++] = &machine->bios;
    for (size_t i = 0; i < count; i++)
        if (*files[i] != NULL)
            *files[i] = find_file(settings, *files[i], recording);
}

/* Ports stay plugged in, and lead nowhere. */
static void quieten(CharacterSpec *specs, int count) {
    for (int i = 0; i < count; i++)
        if (specs[i].kind != CHARACTER_NONE)
            specs[i] = (CharacterSpec){.kind = CHARACTER_NULL};
}

bool recording_make_settings(const RecordingDescription *description, const char *path,
                             Settings *settings, Error *error) {
    char *words[RECORDING_WORDS + 1] = {"reprise"};
    for (unsigned i = 0; i < description->file_count; i++)
        if (!check_file(settings, &description->file[i], path, error))
            return false;
    for (unsigned i = 0; i < description->word_count; i++) {
        const char *word = description->word[i];
        bool bare = word[0] != '-' || word[1] == '\0';
        words[1 + i] = (char *)(bare ? find_file(settings, word, path) : word);
    }
    settings->snapshot = true;
    if (!command_line_parse(settings, (int)description->word_count + 1, words, error))
        return false;
    move_files(settings, path);
    settings->machine.network_detached = true; /* what came from there is in the log */
    settings->display = DISPLAY_NONE;
    settings->monitor_count = 0;
    quieten(settings->serial, settings->serial_count);
    quieten(settings->parallel, settings->parallel_count);
    quieten(&settings->debug_console, 1);
    quieten(&settings->firmware_log, 1);
    return true;
}
