// Whether a JSON text may have one of some keys, without reading it: a few searches that never miss one.
// Pure; any thread.
#pragma once

#include <initializer_list>
#include <string_view>

namespace llm_router {

// `quoted` are keys in their quotes, of lower-case letters and `_`. A member of such a key whose value is
// null does not count. True as well for a string that looks like a key, and for a text with escaped letters.
bool MayHaveKey(std::string_view json, std::initializer_list<std::string_view> quoted);

}  // namespace llm_router
