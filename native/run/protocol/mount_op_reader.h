/* Owns the reading of one step of a plan from JSON, and the rule which members a step has to have. */
#ifndef RUN_STEP_READER_H
#define RUN_STEP_READER_H

#include "json_fields.h"
#include "plan.h"

/* Reads a step into *step (all zeros before). False: broken; reading->where says where. */
bool step_read(struct json_reader *reader, struct reading *reading, struct step *step);

#endif
