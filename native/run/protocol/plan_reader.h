/*
 * Reads a plan from JSON, and checks that each mount op has the fields of its kind. It does not judge what the plan asks for otherwise.
 */
#ifndef RUN_PLAN_READER_H
#define RUN_PLAN_READER_H

#include "json_fields.h"
#include "plan.h"

/* Reads a plan into a struct plan (all zeros before). False: an error; source->where says where. */
json_field_reader read_plan;

/* The same for a struct image, which questions have, too. */
json_field_reader read_image;

#endif
