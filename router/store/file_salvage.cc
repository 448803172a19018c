#include "router/store/file_salvage.h"

#include <string>

#include "broker_adapters/base/sqlite_statement.h"
#include "router/store/file_steps.h"
#include "router/store/store_record.h"
#include "router/store/store_sql.h"

namespace llm_router {
namespace {

constexpr int kPartsAtOnce = 64;  // in one transaction

int64_t Int(SQLite::Statement& row, int column) { return row.getColumn(column).getInt64(); }
std::string Text(SQLite::Statement& row, int column) { return row.getColumn(column).getString(); }

}  // namespace

int64_t SalvageFiles(SalvagedTables& damaged, SQLite::Database& fresh) {
  StoreSql sql(fresh);
  int64_t lost = 0;
  int parts = 0;
  const auto keep_file = [&](SQLite::Statement& row) {
    contract::File file;
    file.id = Text(row, 1);
    file.filename = Text(row, 3);
    file.purpose = Text(row, 4);
    file.bytes = Int(row, 5);
    const bool is_good = FileChecksum(Text(row, 2), file) == static_cast<uint32_t>(Int(row, 8));
    if (!is_good ||
        sql.Run("INSERT OR IGNORE INTO files VALUES(?,?,?,?,?,?,?,?,?)", Int(row, 0), file.id, Text(row, 2),
                file.filename, file.purpose, file.bytes, Int(row, 6), Int(row, 7), Int(row, 8)) == 0)
      ++lost;
  };
  damaged.Read("files", "seq, id, tenant, filename, purpose, bytes, stored, created, checksum", keep_file);
  damaged.Read("file_parts", "seq, file, at, checksum, data", [&](SQLite::Statement& row) {
    std::string id;
    if (Rows rows(sql, "SELECT id FROM files WHERE seq=?", Int(row, 1)); rows.Next()) id = rows.Text(0);
    const std::string data = BlobOf(row.getColumn(4));
    const bool is_good = !id.empty() && ChecksumOf(id, data) == static_cast<uint32_t>(Int(row, 3));
    const int kept = !is_good ? 0
                              : sql.Run("INSERT OR IGNORE INTO file_parts VALUES(?,?,?,?,?)", Int(row, 0),
                                        Int(row, 1), Int(row, 2), Int(row, 3), Blob(data));
    if (kept == 0) ++lost;
    if (++parts % kPartsAtOnce == 0) fresh.exec("COMMIT; BEGIN");
  });
  lost += sql.Run(
      "DELETE FROM files WHERE bytes<stored OR stored<>(SELECT IFNULL(SUM(LENGTH(data)),0) FROM file_parts "
      "WHERE file=files.seq)");
  sql.Run("DELETE FROM file_parts WHERE file NOT IN (SELECT seq FROM files)");
  return lost;
}

}  // namespace llm_router
