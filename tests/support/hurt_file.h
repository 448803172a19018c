// HurtFile: one bit of a file turned around, or the file cut, at a place that a seed chose.
#pragma once

#include <filesystem>
#include <fstream>
#include <random>

namespace llm_router::test {

enum class Hurt { kBit, kEnd };

inline Hurt HurtFile(const std::filesystem::path& path, std::mt19937& random) {
  const uintmax_t size = std::filesystem::file_size(path);
  const uintmax_t at = random() % size;
  if (random() % 4 == 0) {
    std::filesystem::resize_file(path, at);
    return Hurt::kEnd;
  }
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  const int byte = file.get();
  file.seekp(static_cast<std::streamoff>(at));
  file.put(static_cast<char>(byte ^ (1 << (random() % 8))));
  return Hurt::kBit;
}

// How many damaged files were set aside in a folder, their WALs not counted.
inline int CountSetAside(const std::filesystem::path& folder) {
  int aside = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    aside += name.find(".damaged-") != std::string::npos && !name.ends_with("-wal") ? 1 : 0;
  }
  return aside;
}

}  // namespace llm_router::test
