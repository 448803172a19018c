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

struct GoldenStream {
  std::string name;    // "openai_chat/stream_plain"
  std::string frames;  // of its .sse
  std::string whole;   // of the .json beside it, the same reply without a stream; empty: it breaks off
};

// Every JSON file of one folder that is no stream's and no error's, sorted by name; never none.
std::vector<GoldenFile> GoldenFiles(std::string_view folder);
// Those whose names begin with error_.
std::vector<GoldenFile> GoldenErrors(std::string_view folder);
std::vector<GoldenStream> GoldenStreams(std::string_view folder);

}  // namespace llm_router
