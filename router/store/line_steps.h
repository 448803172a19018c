// The lines of a batch: appended, and read when they are over. Commit thread only (store_sql.h).
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "router/store/store.h"
#include "router/store/store_sql.h"

namespace llm_router {

absl::StatusOr<contract::Appended> AppendTo(StoreSql& sql, const std::string& tenant,
                                            const AppendedLines& lines, int64_t now);
absl::StatusOr<contract::LinePage> LinesOver(StoreSql& sql, const std::string& tenant,
                                             const contract::ReadLines& ask);
absl::StatusOr<contract::ErrorPage> BadLines(StoreSql& sql, const std::string& tenant,
                                             const contract::ReadErrors& ask);

}  // namespace llm_router
