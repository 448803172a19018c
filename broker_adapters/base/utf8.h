// UTF-8: whether bytes are, and how to quote a few of a stranger's. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace llm_router {

// Where the first byte stands that belongs to no well-formed character (overlong forms and surrogates are not
// well-formed); nothing when all of it is UTF-8.
std::optional<size_t> FirstBadUtf8(std::string_view text);

// `text` with U+FFFD for every byte that belongs to no well-formed character.
std::string ToUtf8(std::string text);

// The beginning of `text` for an error message: at most `bytes` of it, whole characters, on one line.
std::string Excerpt(std::string_view text, size_t bytes = 80);

}  // namespace llm_router
