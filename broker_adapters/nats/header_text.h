// Header text: any bytes as a NATS header's value or name, readable where they are readable text.
//
// A header ends at a line break, and blanks around its value are lost: such bytes, and `%`, are written as
// `%` and two hex digits; nothing at all as `%` alone. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace llm_router::nats {

std::string ToHeaderValue(std::string_view bytes);
// Of a tag, so that it is none of the names that NATS or we use.
std::string ToHeaderName(std::string_view tag);
// Both back; a `%` that is followed by something else stays.
std::string FromHeader(std::string_view text);

}  // namespace llm_router::nats
