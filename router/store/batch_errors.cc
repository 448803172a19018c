#include "router/store/batch_errors.h"

namespace llm_router {

void AddBatchError(StoreSql& sql, int64_t batch, const contract::BatchError& error) {
  sql.Run("INSERT OR REPLACE INTO batch_errors VALUES(NULL,?,?,?,?,?)", batch, error.line, error.code,
          error.message, error.param);
}

// The batch as a whole has line 0.
std::vector<contract::BatchError> ErrorsOf(StoreSql& sql, int64_t batch, int64_t after, int64_t most) {
  std::vector<contract::BatchError> errors;
  for (Rows rows(sql,
                 "SELECT line, code, message, param FROM batch_errors WHERE batch=? AND line>=? ORDER BY "
                 "line LIMIT ?",
                 batch, after > 0 ? after + 1 : 0, most);
       rows.Next();) {
    contract::BatchError& error = errors.emplace_back();
    error.line = rows.Int(0);
    error.code = rows.Text(1);
    error.message = rows.Text(2);
    error.param = rows.Text(3);
  }
  return errors;
}

}  // namespace llm_router
