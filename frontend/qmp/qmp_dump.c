/* dump-guest-memory: in the background or not, to a file or a descriptor. */
#include "host_file.h"
#include "qmp_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct Beginning {
    Machine *machine;
    MemoryDumpOptions options;
    MemoryDump *dump;
    Error error;
} Beginning;

static void begin(void *opaque) {
    Beginning *beginning = opaque;
    beginning->dump = memory_dump_begin(beginning->machine, &beginning->options, &beginning->error);
}

static void end(void *opaque) {
    memory_dump_end(opaque);
}

static void *write_dump(void *opaque) {
    QmpServer *server = opaque;
    QmpDump *dump = &server->dump;
    memory_dump_write(dump->dump, dump->fd, &dump->progress, &dump->error);
    if (close(dump->fd) != 0)
        error_set(&dump->error, "cannot write the memory: %s", strerror(errno));
    __atomic_store_n(&dump->finished, true, __ATOMIC_RELEASE);
    event_loop_wake(&server->program->loop);
    return NULL;
}

static const char *status_of(const QmpDump *dump) {
    if (dump->dump != NULL)
        return "active";
    return !dump->tried ? "none" : dump->error.set ? "failed" : "completed";
}

static json_object *describe(QmpDump *dump) {
    return qmp_pack("status:s completed:i total:i", status_of(dump),
                    (int64_t)__atomic_load_n(&dump->progress.done, __ATOMIC_RELAXED),
                    (int64_t)dump->total);
}

static void finish(QmpServer *server) {
    QmpDump *dump = &server->dump;
    if (dump->has_thread)
        pthread_join(dump->thread, NULL);
    dump->has_thread = false;
    machine_call(server->program->machine, end, dump->dump);
    dump->dump = NULL;
}

void qmp_dump_serve(QmpServer *server) {
    QmpDump *dump = &server->dump;
    if (dump->dump == NULL || !__atomic_load_n(&dump->finished, __ATOMIC_ACQUIRE))
        return;
    finish(server);
    qmp_send_event(
        server, "DUMP_COMPLETED",
        qmp_pack("result:o error:s", describe(dump), dump->error.set ? dump->error.message : NULL));
}

void qmp_dump_free(QmpServer *server) {
    __atomic_store_n(&server->dump.progress.cancelled, true, __ATOMIC_RELEASE);
    if (server->dump.dump != NULL)
        finish(server);
}

/* What a dump must not be written over is for the host to know: as QEMU does, the file is replaced.
 */
static int open_output(QmpCall *call, const char *protocol) {
    int fd = -1;
    if (strncmp(protocol, "fd:", 3) == 0) {
        fd = qmp_take_file(call->server, protocol + 3);
        if (fd < 0)
            qmp_fail(call, QMP_GENERIC_ERROR, "File descriptor named '%.100s' has not been found",
                     protocol + 3);
    } else if (strncmp(protocol, "file:", 5) == 0) {
        fd = open(protocol + 5, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0)
            qmp_fail(call, QMP_GENERIC_ERROR, "Could not open '%.200s': %s", protocol + 5,
                     strerror(errno));
    } else {
        qmp_fail(call, QMP_GENERIC_ERROR, "parameter 'protocol' must start with 'file:' or 'fd:'");
    }
    return fd;
}

static bool check_range(QmpCall *call, MemoryDumpOptions *options) {
    bool has_begin = qmp_get(call, "begin") != NULL, has_length = qmp_get(call, "length") != NULL;
    int64_t begin_at = qmp_get_int(call, "begin", 0), length = qmp_get_int(call, "length", 0);
    options->paging = qmp_get_bool(call, "paging", false);
    if (has_begin != has_length)
        return qmp_fail(call, QMP_GENERIC_ERROR, "parameter '%s' is missing",
                        has_begin ? "length" : "begin");
    if (begin_at < 0 || length < (has_length ? 1 : 0) || begin_at % PAGE_SIZE != 0 ||
        length % PAGE_SIZE != 0)
        return qmp_fail(call, QMP_GENERIC_ERROR, "'begin' and 'length' must be whole pages");
    options->begin = (uint64_t)begin_at;
    options->length = (uint64_t)length;
    return true;
}

static bool start_thread(QmpServer *server, Error *error) {
    QmpDump *dump = &server->dump;
    int failure = pthread_create(&dump->thread, NULL, write_dump, server);
    dump->has_thread = failure == 0;
    return failure == 0 || error_set(error, "no thread: %s", strerror(failure));
}

bool qmp_dump_guest_memory(QmpCall *call) {
    QmpDump *dump = &call->server->dump;
    Beginning beginning = {.machine = call->machine};
    const char *format = qmp_get_string(call, "format");
    if (dump->dump != NULL || machine_run_state(call->machine) == RUN_STATE_INMIGRATE)
        return qmp_fail(call, QMP_GENERIC_ERROR, "%s",
                        dump->dump != NULL ? "There is a dump in process, please wait."
                                           : "Dump not allowed during incoming migration.");
    if (format != NULL && strcmp(format, "elf") != 0)
        return qmp_fail(call, QMP_GENERIC_ERROR, "the format %s is not available", format);
    if (!check_range(call, &beginning.options))
        return false;
    int fd = open_output(call, qmp_get_string(call, "protocol"));
    if (fd < 0)
        return false;
    machine_call(call->machine, begin, &beginning);
    if (beginning.dump == NULL) {
        close(fd);
        return qmp_fail(call, QMP_GENERIC_ERROR, "%s", beginning.error.message);
    }
    *dump = (QmpDump){.tried = true,
                      .dump = beginning.dump,
                      .fd = fd,
                      .total = memory_dump_bytes(beginning.dump)};
    if (qmp_get_bool(call, "detach", false)) {
        if (start_thread(call->server, &call->error))
            return true;
        close(fd);
        finish(call->server);
        return false;
    }
    write_dump(call->server);
    finish(call->server);
    qmp_send_event(
        call->server, "DUMP_COMPLETED",
        qmp_pack("result:o error:s", describe(dump), dump->error.set ? dump->error.message : NULL));
    return !dump->error.set || qmp_fail(call, QMP_GENERIC_ERROR, "%s", dump->error.message);
}

bool qmp_query_dump(QmpCall *call) {
    call->result = describe(&call->server->dump);
    return true;
}

bool qmp_query_dump_capability(QmpCall *call) {
    json_object *formats = json_object_new_array();
    json_object_array_add(formats, json_object_new_string("elf"));
    call->result = qmp_pack("formats:o", formats);
    return true;
}
