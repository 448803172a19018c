// Whether a JSON text may have a key, without reading it: a few searches that never miss one. Pure; any
// thread.
#pragma once

#include <string_view>

namespace llm_router {

// `quoted` is a key in its quotes, of lower-case letters and `_`. A member of that key whose value is null
// does not count. True as well for a string that looks like the key, and for a text with escaped letters.
bool MayHaveKey(std::string_view json, std::string_view quoted);

}  // namespace llm_router
