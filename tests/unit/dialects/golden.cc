#include "tests/unit/dialects/golden.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/catch.h"

namespace llm_router {

std::vector<GoldenFile> GoldenFiles(std::string_view folder) {
  std::vector<GoldenFile> files;
  const std::filesystem::path root(GOLDEN_DIR);
  for (const auto& entry : std::filesystem::directory_iterator(root / folder)) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    files.push_back({std::filesystem::relative(entry.path(), root).string(),
                     std::string(std::istreambuf_iterator<char>(in), {})});
  }
  std::ranges::sort(files, {}, &GoldenFile::name);
  REQUIRE_FALSE(files.empty());
  return files;
}

}  // namespace llm_router
