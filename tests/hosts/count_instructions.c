/* A plug-in for QEMU's user mode that counts the instructions of the program that it runs: in all,
 * and those of code that the program made itself ("reprise-code" in its map of memory). Written to
 * the file that out= names, as two numbers.
 *
 * What it uses of QEMU's interface (docs/devel/tcg-plugins) is declared here, so that no package
 * with the header is needed. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t PluginId;
struct qemu_plugin_tb;
enum { ADD_64 = 0 }; /* enum qemu_plugin_op */

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
void qemu_plugin_register_vcpu_tb_trans_cb(PluginId id,
                                           void (*callback)(PluginId, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int operation,
                                              void *counter, uint64_t value);
void qemu_plugin_register_atexit_cb(PluginId id, void (*callback)(PluginId, void *), void *opaque);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;
__attribute__((visibility("default"))) int qemu_plugin_install(PluginId id, const void *info,
                                                               int argc, char **argv);

/* QEMU has one of this plug-in. */
static struct {
    uint64_t all, made;    /* instructions */
    uint64_t first, after; /* where made code is; 0: not found yet */
    unsigned looked;
    const char *file;
} counts;

static void find_made_code(void) {
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        uint64_t first, after;
        char rights[5];
        if (strstr(line, "reprise-code") == NULL ||
            sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &first, &after, rights) != 3)
            continue;
        if (counts.first == 0 || first < counts.first)
            counts.first = first;
        if (after > counts.after)
            counts.after = after;
    }
    if (maps != NULL)
        fclose(maps);
}

static void count(PluginId id, struct qemu_plugin_tb *tb) {
    (void)id;
    uint64_t address = qemu_plugin_tb_vaddr(tb), size = qemu_plugin_tb_n_insns(tb);
    if (counts.first == 0 && counts.looked++ % 256 == 0)
        find_made_code();
    qemu_plugin_register_vcpu_tb_exec_inline(tb, ADD_64, &counts.all, size);
    if (address >= counts.first && address < counts.after)
        qemu_plugin_register_vcpu_tb_exec_inline(tb, ADD_64, &counts.made, size);
}

static void report(PluginId id, void *opaque) {
    (void)id, (void)opaque;
    FILE *file = fopen(counts.file, "w");
    if (file == NULL)
        return;
    fprintf(file, "%" PRIu64 " %" PRIu64 "\n", counts.all, counts.made);
    fclose(file);
}

int qemu_plugin_install(PluginId id, const void *info, int argc, char **argv) {
    (void)info;
    for (int i = 0; i < argc; i++)
        if (strncmp(argv[i], "out=", 4) == 0)
            counts.file = strdup(argv[i] + 4);
    if (counts.file == NULL)
        return -1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, count);
    qemu_plugin_register_atexit_cb(id, report, NULL);
    return 0;
}
