// Files and their pieces. Each function is a step of a transaction. Commit thread only (store_sql.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/file.h"
#include "router/store/store_sql.h"

namespace llm_router {

// Over what never changes of it.
uint32_t FileChecksum(std::string_view tenant, const contract::File& file);

contract::File MakeFile(StoreSql& sql, const std::string& tenant, const contract::File& file, int64_t now);
// Fault invalid_request when the tenant has no such file, storage_failed when what is kept of it is not as it
// was written; here and below.
absl::StatusOr<contract::File> FindFileOf(StoreSql& sql, const std::string& tenant, const std::string& id);
// What is there already is passed over; a gap, and more than its size, are refused.
absl::StatusOr<contract::File> AppendToFile(StoreSql& sql, const std::string& tenant,
                                            const contract::AppendFile& ask);
// Fault storage_failed when the piece is not as it was written.
absl::StatusOr<contract::FilePart> ReadPart(StoreSql& sql, const std::string& tenant,
                                            const contract::ReadFile& ask);
absl::StatusOr<contract::File> EraseFileOf(StoreSql& sql, const std::string& tenant, const std::string& id);
contract::FilePage ListFilesOf(StoreSql& sql, const std::string& tenant, const contract::ListFiles& ask);
// Erases one file made before that, if there is one; how many.
int64_t PruneFiles(StoreSql& sql, int64_t before);

}  // namespace llm_router
