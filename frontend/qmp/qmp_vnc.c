/* The VNC server: who may use it, and clients that connected elsewhere. */
#include "host_file.h"
#include "qmp_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

bool qmp_query_vnc(QmpCall *call) {
    const VncServer *vnc = call->program->vnc;
    const VncSpec *spec = &call->program->settings->vnc;
    char port[16];
    if (vnc == NULL) {
        call->result = qmp_pack("enabled:b", false);
        return true;
    }
    snprintf(port, sizeof(port), "%d", vnc_server_port(vnc));
    const char *host = spec->path != NULL      ? spec->path
                       : spec->host[0] != '\0' ? spec->host
                       : spec->has_password    ? "0.0.0.0"
                                               : "127.0.0.1";
    call->result =
        qmp_pack("enabled:b host:s family:s service:s auth:s", true, host,
                 spec->path != NULL  ? "unix"
                 : strchr(host, ':') ? "ipv6"
                                     : "ipv4",
                 spec->path != NULL ? spec->path : port, spec->has_password ? "vnc" : "none");
    return true;
}

static bool set_password(QmpCall *call) {
    return vnc_server_set_password(call->program->vnc, qmp_get_string(call, "password"),
                                   &call->error) ||
           qmp_fail(call, QMP_GENERIC_ERROR, "%s", call->error.message);
}

static bool check_protocol(QmpCall *call) {
    return strcmp(qmp_get_string(call, "protocol"), "vnc") == 0 ||
           qmp_fail(call, QMP_GENERIC_ERROR, "Invalid parameter 'protocol'");
}

bool qmp_change_vnc_password(QmpCall *call) {
    return set_password(call);
}

bool qmp_set_password(QmpCall *call) {
    return check_protocol(call) && set_password(call);
}

/* "now", "never", "+SECONDS" from now, or seconds since 1970. */
bool qmp_expire_password(QmpCall *call) {
    const char *text = qmp_get_string(call, "time");
    char *end = NULL;
    int64_t when = strcmp(text, "never") == 0 ? INT64_MAX : 0;
    if (when == 0 && strcmp(text, "now") != 0) {
        when = strtoll(text, &end, 10);
        if (end == text || *end != '\0' || when < 0)
            return qmp_fail(call, QMP_GENERIC_ERROR, "Parameter 'time' expects a time");
        if (text[0] == '+')
            when += (int64_t)time(NULL);
    }
    return check_protocol(call) &&
           (vnc_server_expire_password(call->program->vnc, when, &call->error) ||
            qmp_fail(call, QMP_GENERIC_ERROR, "%s", call->error.message));
}

/* A client whose socket came by 'getfd'. */
bool qmp_add_client(QmpCall *call) {
    if (!check_protocol(call))
        return false;
    int fd = qmp_take_file(call->server, qmp_get_string(call, "fdname"));
    if (fd < 0)
        return qmp_fail(call, QMP_GENERIC_ERROR, "File descriptor named '%.100s' not found",
                        qmp_get_string(call, "fdname"));
    if (vnc_server_add_client(call->program->vnc, fd, &call->error))
        return true;
    close(fd);
    return qmp_fail(call, QMP_GENERIC_ERROR, "%s", call->error.message);
}
