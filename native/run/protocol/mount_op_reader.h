/* Reads one mount op of a plan from JSON, and checks that it has the fields of its kind. */
#ifndef RUN_MOUNT_OP_READER_H
#define RUN_MOUNT_OP_READER_H

#include "json_fields.h"
#include "plan.h"

/* Reads an op into *op (all zeros before). False: an error; source->where says where. */
bool mount_op_read(struct json_reader *reader, struct json_source *source, struct mount_op *op);

#endif
