// JsonLine: one JSON object on one line, member by member, for the log. A value; any thread.
//
//   JsonLine line;
//   line.Add("route", route);
//   log::WriteJson(log::Level::kInfo, std::move(line).Take());
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace llm_router {

// Appends `value` as a JSON text, quoted: at most 256 bytes of it, what is not UTF-8 replaced.
void AppendJsonText(std::string_view value, std::string& text);

class JsonLine {
 public:
  JsonLine();

  // Names are ours: letters and `_`. Values may be anybody's: at most 256 bytes of them are kept, and what is
  // not UTF-8 is replaced.
  void Add(std::string_view name, std::string_view value);
  void Add(std::string_view name, int64_t value);
  // As milliseconds with three digits; never below 0.
  void AddMillis(std::string_view name, double seconds);
  void AddTime(std::string_view name, int64_t unix_ms);  // 2026-01-31T23:59:59.999Z

  std::string Take() &&;

 private:
  void Name(std::string_view name);

  std::string text_;
};

}  // namespace llm_router
