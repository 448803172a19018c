// Images as URLs: a web address, or the image itself in a base64 `data:` URL. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "router/dialects/chat.h"

namespace llm_router {

// Nothing when it is a `data:` URL that is not base64 or names no media type.
std::optional<ImagePart> ImageOfUrl(std::string_view url);
std::string UrlOfImage(const ImagePart& image);

}  // namespace llm_router
