#include "router/config/file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "proto/fault.h"
#include "router/config/tree.h"

namespace llm_router {
namespace {

absl::Status Unreadable(const std::filesystem::path& path, std::string_view why) {
  return MakeFault(Fault::kInvalidRequest,
                   fmt::format("{}: can't be read: {}: check its path and permissions", path.string(), why));
}

}  // namespace

absl::StatusOr<std::string> ReadSettingsFile(const std::filesystem::path& path) {
  std::error_code error;
  const bool is_directory = std::filesystem::is_directory(path, error);
  if (is_directory) return Unreadable(path, "it is a directory");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return Unreadable(path, std::strerror(errno));
  std::string text(kMaxSettingsBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return Unreadable(path, std::strerror(errno));
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kMaxSettingsBytes) return Unreadable(path, "it is larger than 1 MiB");
  return text;
}

}  // namespace llm_router
