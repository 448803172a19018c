// The files of tests/golden, read whole.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace llm_router {

struct GoldenFile {
  std::string name;  // "openai_chat/request_plain.json"
  std::string text;
};

// Every JSON file of one folder, sorted by name; never none.
std::vector<GoldenFile> GoldenFiles(std::string_view folder);

}  // namespace llm_router
