// The log: one line an event on stderr, through spdlog. Safe to call from any thread.
//
//   log::Info("llm-router {} serves {}", version, channel);
//
// Nothing secret and no body of a query or reply is ever an argument.
#pragma once

#include <fmt/core.h>

#include <string_view>

namespace llm_router::log {

enum class Level { kDebug, kInfo, kWarning, kError };

// Lines below `level` are dropped. The default is kInfo.
void SetLevel(Level level);
bool Enabled(Level level);
void Write(Level level, std::string_view line);

template <class... Args>
void Log(Level level, fmt::format_string<Args...> format, Args&&... args) {
  if (Enabled(level)) Write(level, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void Debug(fmt::format_string<Args...> format, Args&&... args) {
  Log(Level::kDebug, format, std::forward<Args>(args)...);
}
template <class... Args>
void Info(fmt::format_string<Args...> format, Args&&... args) {
  Log(Level::kInfo, format, std::forward<Args>(args)...);
}
template <class... Args>
void Warning(fmt::format_string<Args...> format, Args&&... args) {
  Log(Level::kWarning, format, std::forward<Args>(args)...);
}
template <class... Args>
void Error(fmt::format_string<Args...> format, Args&&... args) {
  Log(Level::kError, format, std::forward<Args>(args)...);
}

}  // namespace llm_router::log
