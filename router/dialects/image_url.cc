#include "router/dialects/image_url.h"

#include <fmt/format.h>

#include <algorithm>

namespace llm_router {
namespace {

constexpr std::string_view kScheme = "data:";
constexpr std::string_view kBase64 = ";base64,";

}  // namespace

std::optional<ImagePart> ImageOfUrl(std::string_view url) {
  ImagePart image;
  if (!url.starts_with(kScheme)) {
    image.url = url;
    return image;
  }
  url.remove_prefix(kScheme.size());
  const size_t mark = url.find(kBase64);
  if (mark == url.npos || mark == 0 || url.find(',') < mark) return std::nullopt;
  // Parameters such as ";charset=utf-8" say nothing about an image.
  image.media_type = url.substr(0, std::min(mark, url.find(';')));
  image.data = url.substr(mark + kBase64.size());
  return image;
}

std::string UrlOfImage(const ImagePart& image) {
  if (!image.url.empty()) return image.url;
  return fmt::format("{}{}{}{}", kScheme, image.media_type, kBase64, image.data);
}

}  // namespace llm_router
