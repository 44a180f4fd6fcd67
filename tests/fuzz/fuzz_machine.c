#include "fuzz_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void fuzz_machine_config(MachineConfig *config, TranslatorBackend backend) {
    machine_config_init(config);
    config->ram_bytes = 1 << 20;
    config->icount = true;
    config->icount_shift = 3;
    config->translator = (TranslatorOptions){.backend = backend, .buffer_bytes = 1 << 20};
    config->has_serial[0] = config->has_parallel[0] = true;
}

Machine *fuzz_machine_create(const MachineConfig *config) {
    Error error = {.set = false};
    Machine *machine = machine_create(config, &error);
    if (machine == NULL) {
        fprintf(stderr, "fuzz: machine: %s\n", error.message);
        abort();
    }
    return machine;
}

Machine *fuzz_machine_create_halted(MachineConfig *config) {
    static const uint8_t halt[65536] = {0xF4};
    char path[] = "/tmp/fuzz-bios-XXXXXX";
    int file = mkstemp(path);
    if (file < 0 || write(file, halt, sizeof(halt)) != (ssize_t)sizeof(halt) || close(file) != 0)
        abort();
    config->bios = path;
    Machine *machine = fuzz_machine_create(config);
    config->bios = NULL;
    unlink(path);
    return machine;
}
