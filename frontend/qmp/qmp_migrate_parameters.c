/* How a machine moves: what clients may set. */
#include "qmp_server.h"

#include <string.h>

bool qmp_query_migrate_capabilities(QmpCall *call) {
    MigrationParameters parameters = migration_parameters(call->program->migration);
    call->result = json_object_new_array();
    for (const MigrationParameterRow *row = migration_capability_rows; row->name != NULL; row++)
        json_object_array_add(call->result,
                              qmp_pack("state:b capability:s",
                                       *migration_parameter(&parameters, row) != 0, row->name));
    json_object_array_add(
        call->result, qmp_pack("state:b capability:s", call->server->migration_events, "events"));
    return true;
}

bool qmp_migrate_set_capabilities(QmpCall *call) {
    MigrationParameters parameters = migration_parameters(call->program->migration);
    json_object *list = qmp_get(call, "capabilities");
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        json_object *one = json_object_array_get_idx(list, i);
        bool state = json_object_get_boolean(json_object_object_get(one, "state"));
        const char *name = json_object_get_string(json_object_object_get(one, "capability"));
        if (strcmp(name, "events") == 0)
            call->server->migration_events = state;
        for (const MigrationParameterRow *row = migration_capability_rows; row->name != NULL; row++)
            if (strcmp(name, row->name) == 0)
                *migration_parameter(&parameters, row) = state;
    }
    migration_set_parameters(call->program->migration, &parameters);
    return true;
}

bool qmp_migrate_set_parameters(QmpCall *call) {
    MigrationParameters parameters = migration_parameters(call->program->migration);
    for (const MigrationParameterRow *row = migration_parameter_rows; row->name != NULL; row++) {
        int64_t *place = migration_parameter(&parameters, row);
        int64_t value = qmp_get_int(call, row->name, *place);
        if (value < row->least || value > row->most)
            return qmp_fail(call, QMP_GENERIC_ERROR, "Parameter '%s' is out of range", row->name);
        *place = value;
    }
    migration_set_parameters(call->program->migration, &parameters);
    return true;
}

bool qmp_query_migrate_parameters(QmpCall *call) {
    MigrationParameters parameters = migration_parameters(call->program->migration);
    call->result = json_object_new_object();
    for (const MigrationParameterRow *row = migration_parameter_rows; row->name != NULL; row++)
        json_object_object_add(call->result, row->name,
                               json_object_new_int64(*migration_parameter(&parameters, row)));
    return true;
}
