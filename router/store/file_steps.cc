#include "router/store/file_steps.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "proto/fault.h"
#include "router/store/store_record.h"

namespace llm_router {
namespace {

#define LLM_ROUTER_FILE_COLUMNS \
  "SELECT seq, id, filename, purpose, bytes, stored, created, checksum FROM files "

struct FileRow {
  FileRow() = default;

  int64_t seq = 0;
  contract::File file;
  uint32_t checksum = 0;
};

FileRow RowOf(const Rows& rows) {
  FileRow row;
  row.seq = rows.Int(0);
  row.file.id = rows.Text(1);
  row.file.filename = rows.Text(2);
  row.file.purpose = rows.Text(3);
  row.file.bytes = rows.Int(4);
  row.file.stored = rows.Int(5);
  row.file.created_at = rows.Int(6) / 1000;
  row.checksum = static_cast<uint32_t>(rows.Int(7));
  return row;
}

absl::Status Damaged(const std::string& id) {
  return MakeFault(Fault::kStorageFailed, fmt::format("the file {} is damaged on disk: upload it again", id));
}

absl::StatusOr<FileRow> Known(StoreSql& sql, std::string_view tenant, std::string_view id) {
  Rows rows(sql, LLM_ROUTER_FILE_COLUMNS "WHERE id=? AND tenant=?", id, tenant);
  if (rows.Next()) {
    FileRow row = RowOf(rows);
    if (row.checksum != FileChecksum(tenant, row.file)) return Damaged(row.file.id);
    return row;
  }
  return MakeFault(Fault::kInvalidRequest,
                   fmt::format("there is no file \"{}\": it was deleted, or is older than jobs.keep_results "
                               "says files are kept",
                               Excerpt(id)));
}

void Erase(StoreSql& sql, int64_t seq) {
  sql.Run("DELETE FROM file_parts WHERE file=?", seq);
  sql.Run("DELETE FROM files WHERE seq=?", seq);
}

}  // namespace

uint32_t FileChecksum(std::string_view tenant, const contract::File& file) {
  return ChecksumOf(file.id, fmt::format("{}\n{}\n{}\n{}", tenant, file.purpose, file.bytes, file.filename));
}

contract::File MakeFile(StoreSql& sql, const std::string& tenant, const contract::File& file, int64_t now) {
  sql.Run("INSERT INTO files VALUES(NULL,?,?,?,?,?,0,?,?)", file.id, tenant, file.filename, file.purpose,
          file.bytes, now, FileChecksum(tenant, file));
  contract::File made = file;
  made.stored = 0;
  made.created_at = now / 1000;
  return made;
}

absl::StatusOr<contract::File> FindFileOf(StoreSql& sql, const std::string& tenant, const std::string& id) {
  ASSIGN_OR_RETURN(FileRow row, Known(sql, tenant, id));
  return std::move(row.file);
}

absl::StatusOr<contract::File> AppendToFile(StoreSql& sql, const std::string& tenant,
                                            const contract::AppendFile& ask) {
  ASSIGN_OR_RETURN(FileRow row, Known(sql, tenant, ask.file));
  contract::File& file = row.file;
  const auto size = static_cast<int64_t>(ask.data.size());
  if (ask.offset > file.stored || ask.offset + size > file.bytes) {
    return MakeFault(Fault::kInvalidRequest,
                     fmt::format("the piece has bytes {} to {} of file {}, which has {} of {} so far: send "
                                 "what comes next",
                                 ask.offset, ask.offset + size, file.id, file.stored, file.bytes));
  }
  if (ask.offset < file.stored) return std::move(file);  // sent again
  sql.Run("INSERT INTO file_parts VALUES(NULL,?,?,?,?)", row.seq, ask.offset, ChecksumOf(file.id, ask.data),
          Blob(ask.data));
  file.stored += size;
  sql.Run("UPDATE files SET stored=? WHERE seq=?", file.stored, row.seq);
  return std::move(file);
}

absl::StatusOr<contract::FilePart> ReadPart(StoreSql& sql, const std::string& tenant,
                                            const contract::ReadFile& ask) {
  ASSIGN_OR_RETURN(const FileRow row, Known(sql, tenant, ask.file));
  contract::FilePart part;
  part.next = ask.offset;
  Rows rows(sql, "SELECT data, checksum FROM file_parts INDEXED BY file_parts_at WHERE file=? AND at=?",
            row.seq, ask.offset);
  if (!rows.Next()) {
    if (ask.offset == row.file.stored) return part;
    return MakeFault(Fault::kInvalidRequest,
                     fmt::format("no piece of the file begins at {}: read from 0 on", ask.offset));
  }
  part.data = rows.Text(0);
  if (ChecksumOf(row.file.id, part.data) != static_cast<uint32_t>(rows.Int(1))) return Damaged(row.file.id);
  part.next += static_cast<int64_t>(part.data.size());
  part.has_more = part.next < row.file.stored;
  return part;
}

absl::StatusOr<contract::File> EraseFileOf(StoreSql& sql, const std::string& tenant, const std::string& id) {
  ASSIGN_OR_RETURN(FileRow row, Known(sql, tenant, id));
  Erase(sql, row.seq);
  return std::move(row.file);
}

contract::FilePage ListFilesOf(StoreSql& sql, const std::string& tenant, const contract::ListFiles& ask) {
  contract::FilePage page;
  int64_t before = INT64_MAX;
  if (!ask.after.empty()) {
    const auto after = Known(sql, tenant, ask.after);
    if (!after.ok()) return page;
    before = after->seq;
  }
  for (Rows rows(
           sql,
           LLM_ROUTER_FILE_COLUMNS
           "INDEXED BY files_listed WHERE tenant=? AND seq<? AND stored=bytes AND (?3='' OR purpose=?3) "
           "ORDER BY seq DESC LIMIT ?4",
           tenant, before, ask.purpose, ask.limit + 1);
       rows.Next();) {
    FileRow row = RowOf(rows);
    if (row.checksum == FileChecksum(tenant, row.file)) page.files.push_back(std::move(row.file));
  }
  page.has_more = static_cast<int64_t>(page.files.size()) > ask.limit;
  if (page.has_more) page.files.pop_back();
  return page;
}

int64_t PruneFiles(StoreSql& sql, int64_t before) {
  int64_t seq = 0;
  if (Rows rows(sql, "SELECT seq FROM files INDEXED BY files_by_age WHERE created<? LIMIT 1", before);
      rows.Next())
    seq = rows.Int(0);
  if (seq == 0) return 0;
  Erase(sql, seq);
  return 1;
}

}  // namespace llm_router
