#include "router/store/batch_errors.h"

#include <fmt/format.h>

#include "broker_adapters/base/log.h"
#include "router/store/store_record.h"

namespace llm_router {

uint32_t ChecksumOf(int64_t batch, const contract::BatchError& error) {
  return ChecksumOf(fmt::format("{} {}", batch, error.line),
                    fmt::format("{}\n{}\n{}", error.code, error.param, error.message));
}

void AddBatchError(StoreSql& sql, int64_t batch, const contract::BatchError& error) {
  sql.Run("INSERT OR REPLACE INTO batch_errors VALUES(NULL,?,?,?,?,?,?)", batch, error.line, error.code,
          error.message, error.param, ChecksumOf(batch, error));
}

// The batch as a whole has line 0.
std::vector<contract::BatchError> ErrorsOf(StoreSql& sql, int64_t batch, int64_t after, int64_t most) {
  std::vector<contract::BatchError> errors;
  for (Rows rows(
           sql,
           "SELECT line, code, message, param, checksum FROM batch_errors WHERE batch=? AND line>=? ORDER BY "
           "line",
           batch, after > 0 ? after + 1 : 0);
       static_cast<int64_t>(errors.size()) < most && rows.Next();) {
    contract::BatchError error;
    error.line = rows.Int(0);
    error.code = rows.Text(1);
    error.message = rows.Text(2);
    error.param = rows.Text(3);
    if (rows.Int(4) == ChecksumOf(batch, error)) {
      errors.push_back(std::move(error));
    } else {
      log::Error("jobs.sqlite: what is wrong with line {} of a batch is damaged on disk", error.line);
    }
  }
  return errors;
}

}  // namespace llm_router
