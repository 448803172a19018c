// OpenAI's Files API, for batches: files are kept by the jobs service. What a batch gave is a file too, made
// of its lines as it is read: its id is the batch's with -output or -errors behind it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proto/batch.h"
#include "router/gateway/http_call.h"

namespace llm_router {

inline constexpr size_t kMostFormOverhead = 64 * 1024;  // bytes of an upload beside its file

Awaitable<void> UploadFile(GatewayCall& call);
Awaitable<void> ListFiles(GatewayCall& call);
Awaitable<void> GetFile(GatewayCall& call);
Awaitable<void> GetFileContent(GatewayCall& call);
Awaitable<void> DeleteFile(GatewayCall& call);

// The lines of a batch that succeeded, or those that did not, as a file.
struct BatchFile {
  std::string batch;
  contract::ReadLines::Which which = contract::ReadLines::Which::kCompleted;
};
std::string BatchFileId(const BatchFile& file);
std::optional<BatchFile> BatchFileNamed(std::string_view id);

}  // namespace llm_router
