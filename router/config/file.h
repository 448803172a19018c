// ReadSettingsFile: a whole file of settings as text. Blocks on disk.
#pragma once

#include <filesystem>
#include <string>

#include "absl/status/statusor.h"

namespace llm_router {

// Fault invalid_request, with the reason, for what can't be read or is larger than kMaxSettingsBytes.
absl::StatusOr<std::string> ReadSettingsFile(const std::filesystem::path& path);

}  // namespace llm_router
