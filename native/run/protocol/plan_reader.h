/* Reads a plan from JSON. It does not judge what the plan asks for. */
#ifndef RUN_PLAN_READER_H
#define RUN_PLAN_READER_H

#include "json_fields.h"
#include "plan.h"

/* Reads a plan into *plan (all zeros before). False: an error; source->where says where. */
bool plan_read(struct json_reader *reader, struct json_source *source, struct plan *plan);

/* The same for a row of a table: place is a struct plan. */
json_field_reader plan_field;

#endif
