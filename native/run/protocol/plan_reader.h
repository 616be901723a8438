/* Owns the reading of a plan from JSON. It judges nothing of what the plan asks for. */
#ifndef RUN_PLAN_READER_H
#define RUN_PLAN_READER_H

#include "json_fields.h"
#include "plan.h"

/* Reads a plan into *plan (all zeros before). False: broken; reading->where says where. */
bool plan_read(struct json_reader *reader, struct reading *reading, struct plan *plan);

/* The same as the row of a table: place is a struct plan. */
member_read plan_member;

#endif
