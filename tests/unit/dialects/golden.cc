#include "tests/unit/dialects/golden.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/catch.h"

namespace llm_router {
namespace {

// Empty when there is no such file.
std::string TextOf(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

template <class Wanted>
std::vector<GoldenFile> JsonFiles(std::string_view folder, Wanted wanted) {
  std::vector<GoldenFile> files;
  const std::filesystem::path root(GOLDEN_DIR);
  for (const auto& entry : std::filesystem::directory_iterator(root / folder)) {
    const std::filesystem::path& path = entry.path();
    if (path.extension() != ".json" || !wanted(path.filename().string())) continue;
    files.push_back({std::filesystem::relative(path, root).string(), TextOf(path)});
  }
  std::ranges::sort(files, {}, &GoldenFile::name);
  REQUIRE_FALSE(files.empty());
  return files;
}

}  // namespace

std::vector<GoldenFile> GoldenFiles(std::string_view folder) {
  return JsonFiles(folder, [](const std::string& name) {
    return !name.starts_with("stream_") && !name.starts_with("error_");
  });
}

std::vector<GoldenFile> GoldenErrors(std::string_view folder) {
  return JsonFiles(folder, [](const std::string& name) { return name.starts_with("error_"); });
}

std::vector<GoldenStream> GoldenStreams(std::string_view folder) {
  std::vector<GoldenStream> streams;
  const std::filesystem::path root(GOLDEN_DIR);
  for (const auto& entry : std::filesystem::directory_iterator(root / folder)) {
    std::filesystem::path path = entry.path();
    if (path.extension() != ".sse") continue;
    const std::string frames = TextOf(path);
    const std::string whole = TextOf(path.replace_extension(".json"));
    streams.push_back({std::filesystem::relative(path.replace_extension(), root).string(), frames, whole});
  }
  std::ranges::sort(streams, {}, &GoldenStream::name);
  REQUIRE_FALSE(streams.empty());
  return streams;
}

}  // namespace llm_router
