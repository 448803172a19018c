// Files: what is uploaded for batches, on `llm_jobs` like jobs (job.h). Named as OpenAI's Files API names
// them.
//
// A file is created with its size, filled by appending pieces, and is whole when they are all there. Its
// content is UTF-8. Values and pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/json_fields.h"

namespace llm_router::contract {

inline constexpr int64_t kMostFileBytes = int64_t{200} * 1024 * 1024;
inline constexpr size_t kMostPieceBytes = size_t{512} * 1024;  // of one append
inline constexpr std::string_view kBatchPurpose = "batch";     // the only one there is

// Times are Unix seconds.
struct File {
  File() = default;

  std::string id;
  std::string filename;
  std::string purpose;
  int64_t bytes = 0;   // once it is whole
  int64_t stored = 0;  // so far
  int64_t created_at = 0;

  bool is_whole() const { return stored == bytes; }
};
Json ToJsonValue(const File& file);
std::string ToJson(const File& file);
absl::StatusOr<File> ParseFile(const Json& object);

// ---- questions; answered with the file, but for reading and listing ----

struct CreateFile {
  CreateFile() = default;

  std::string filename;
  std::string purpose;
  int64_t bytes = 0;
};

// Repeatable: what is there already is passed over; a gap is refused.
struct AppendFile {
  AppendFile() = default;

  std::string file;
  int64_t offset = 0;
  std::string data;  // whole characters
};

struct AboutFile {
  enum class Op { kStatus, kDelete };
  AboutFile() = default;
  AboutFile(Op wanted, std::string which) : op(wanted), file(std::move(which)) {}

  Op op = Op::kStatus;
  std::string file;
};

// From `offset`, where a piece of it begins or ended.
struct ReadFile {
  ReadFile() = default;

  std::string file;
  int64_t offset = 0;
};
struct FilePart {
  FilePart() = default;

  std::string data;
  int64_t next = 0;  // offset of the part after it
  bool has_more = false;
};

// Whole ones, newest first.
struct ListFiles {
  ListFiles() = default;

  std::string purpose;  // empty: any
  std::string after;    // a file's id; empty: from the newest on
  int64_t limit = 20;
};
struct FilePage {
  FilePage() = default;

  std::vector<File> files;
  bool has_more = false;
};

std::string ToJson(const CreateFile& ask);
std::string ToJson(const AppendFile& ask);
std::string ToJson(const AboutFile& ask);
std::string ToJson(const ReadFile& ask);
std::string ToJson(const ListFiles& ask);

std::string ToJson(const FilePart& part);
std::string ToJson(const FilePage& page);
absl::StatusOr<FilePart> ParseFilePart(std::string_view body);
absl::StatusOr<FilePage> ParseFilePage(std::string_view body);

}  // namespace llm_router::contract
