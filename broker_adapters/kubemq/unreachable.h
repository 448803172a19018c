// Why a server can't be reached: gRPC's words, turned into what to do about it. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace llm_router {

// One sentence about the server at `address`; `text` is that of a call that ended with UNAVAILABLE, `tls`
// whether the connection was to be encrypted.
std::string Unreachable(std::string_view address, bool tls, std::string_view text);

}  // namespace llm_router
