#include "router/store/store_sql.h"

namespace llm_router {

SQLite::Statement& StoreSql::Prepared(const char* sql) {
  auto& statement = statements_[sql];
  if (!statement) statement = std::make_unique<SQLite::Statement>(database_, sql);
  return *statement;
}

int64_t StoreSql::bytes() {
  Rows pages(*this,
             "SELECT (a.page_count - b.freelist_count) * c.page_size "
             "FROM pragma_page_count a, pragma_freelist_count b, pragma_page_size c");
  return pages.Next() ? pages.Int(0) : 0;
}

}  // namespace llm_router
