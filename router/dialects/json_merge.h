// Putting together what a stream brought in pieces, unknown members and all. Pure; any thread.
#pragma once

#include "router/dialects/json_body.h"

namespace llm_router {

// Adds a delta to what earlier ones made: texts are appended, objects merged, the items of lists matched by
// their `index` or appended, all else replaced. What names or counts (`id`, `index`, `name`, `role`, `type`,
// ...) is replaced as well. Null says nothing where there is something.
void MergeDelta(Json& whole, const Json& delta);

// Every member of `members` that is not null over the same of `object`; null only where there was none.
void SetMembers(Json& object, const Json& members);

// The item of `list` whose `index` is `index`, appended when there is none; null when the list is full.
Json* ItemAt(Json& list, const Json& index);

}  // namespace llm_router
