#include "broker_adapters/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <string>

#include "broker_adapters/base/log_json.h"

namespace llm_router::log {
namespace {

spdlog::level::level_enum ToSpdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::unique_ptr<spdlog::logger> MakeLogger(const char* pattern) {
  auto made =
      std::make_unique<spdlog::logger>("llm-router", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  made->set_pattern(pattern);
  return made;
}

spdlog::logger& Logger() {
  static const std::unique_ptr<spdlog::logger> logger = MakeLogger("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  return *logger;
}

// All sinks on stderr share one lock, so that lines never mix.
spdlog::logger& JsonLogger() {
  static const std::unique_ptr<spdlog::logger> logger = MakeLogger("%v");
  return *logger;
}

// A line stays a line, and a terminal stays as it was, whatever a stranger put into a name.
std::string OneLine(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return line;
}

}  // namespace

void SetLevel(Level level) {
  Logger().set_level(ToSpdlog(level));
  JsonLogger().set_level(ToSpdlog(level));
}
bool Enabled(Level level) { return Logger().should_log(ToSpdlog(level)); }
void Write(Level level, std::string_view line) { Logger().log(ToSpdlog(level), OneLine(line)); }

void WriteJson(Level level, std::string_view object) { JsonLogger().log(ToSpdlog(level), OneLine(object)); }

}  // namespace llm_router::log
