/* Character devices, and descriptors that clients pass. */
#include "host_file.h"
#include "qmp_server.h"

#include <stdlib.h>
#include <string.h>

bool qmp_query_chardev(QmpCall *call) {
    call->result = json_object_new_array();
    for (int i = 0; i < call->program->device_count; i++) {
        const CharacterDevice *device = call->program->devices[i];
        ByteBuffer text = {.data = NULL};
        character_device_describe(device, &text);
        json_object_array_add(call->result, qmp_pack("label:s filename:s frontend-open:b",
                                                     character_device_label(device),
                                                     (const char *)text.data, true));
        byte_buffer_free(&text);
    }
    return true;
}

static QmpFile *find_file(QmpServer *server, const char *name) {
    for (int i = 0; i < QMP_FILES; i++) {
        QmpFile *file = &server->file[i];
        if (name == NULL ? file->name == NULL : file->name != NULL && strcmp(file->name, name) == 0)
            return file;
    }
    return NULL;
}

int qmp_take_file(QmpServer *server, const char *name) {
    QmpFile *file = find_file(server, name);
    if (file == NULL)
        return -1;
    int fd = file->fd;
    free(file->name);
    *file = (QmpFile){.name = NULL};
    return fd;
}

/* A name that is taken gets the new descriptor. */
bool qmp_getfd(QmpCall *call) {
    const char *name = qmp_get_string(call, "fdname");
    int fd = character_device_take_file(call->session->device);
    if (fd < 0)
        return qmp_fail(call, QMP_GENERIC_ERROR, "No file descriptor supplied via SCM_RIGHTS");
    if (*name == '\0' || (*name >= '0' && *name <= '9')) {
        close(fd);
        return qmp_fail(call, QMP_GENERIC_ERROR,
                        "Parameter 'fdname' expects a name not starting with a digit");
    }
    int old = qmp_take_file(call->server, name);
    if (old >= 0)
        close(old);
    QmpFile *file = find_file(call->server, NULL);
    if (file == NULL) {
        close(fd);
        return qmp_fail(call, QMP_GENERIC_ERROR, "too many descriptors");
    }
    *file = (QmpFile){.name = strdup(name), .fd = fd};
    return true;
}

bool qmp_closefd(QmpCall *call) {
    const char *name = qmp_get_string(call, "fdname");
    int fd = qmp_take_file(call->server, name);
    if (fd < 0)
        return qmp_fail(call, QMP_GENERIC_ERROR, "File descriptor named '%.100s' not found", name);
    close(fd);
    return true;
}
