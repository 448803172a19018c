#include "client/batch_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "client/batch_convert.h"
#include "client/batch_upload.h"
#include "client/convert.h"
#include "client/line_source.h"
#include "proto/fault.h"
#include "proto/job.h"

namespace llm_router::client {
namespace {

Error Invalid(const std::string& sentence) { return ToError(MakeFault(Fault::kInvalidRequest, sentence)); }

Result<Batch> Submit(std::shared_ptr<JobsLink> link, const BatchOptions& options, const LineSource& lines) {
  const auto converted = ToContract(options, link->options());
  if (!converted.ok()) return ToError(converted.status());
  auto batch = UploadBatch(*link, options, *converted, lines);
  if (!batch.ok()) return ToError(batch.status());
  return Batch(std::move(batch->id), std::move(link));
}

// A regular file says how large it is; what does not is counted as it is read.
absl::Status CheckSize(const std::string& file) {
  std::error_code none;
  const auto bytes = std::filesystem::file_size(file, none);
  if (none || bytes <= static_cast<uintmax_t>(kMostBytesOfABatch)) return absl::OkStatus();
  return MakeFault(Fault::kTooLarge,
                   fmt::format("{} has {} bytes, and a batch at most 200 MB: split it", file, bytes));
}

absl::StatusOr<std::vector<BatchStatus>> ReadPages(JobsLink& link, size_t most) {
  contract::ListBatches ask;
  std::vector<BatchStatus> batches;
  for (bool has_more = true; has_more && batches.size() < most;) {
    ask.limit = std::min<int64_t>(contract::kMostListed, static_cast<int64_t>(most - batches.size()));
    ASSIGN_OR_RETURN(const std::string body, link.Ask(ToJson(ask), Repeat::kYes));
    ASSIGN_OR_RETURN(const contract::BatchPage page, contract::ParseBatchPage(body));
    for (const contract::Batch& batch : page.batches) batches.push_back(ToStatus(batch));
    has_more = page.has_more && !page.batches.empty();
    if (has_more) ask.after = batches.back().id;
  }
  return batches;
}

}  // namespace

Result<Batch> SubmitBatchFile(std::shared_ptr<JobsLink> link, const std::string& file,
                              const BatchOptions& options) {
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (in) in.peek();  // a directory opens, and then can't be read
  if (!in && !in.eof()) {
    return Invalid(
        fmt::format("{}: can't be read: {}: check its path and permissions", file, std::strerror(errno)));
  }
  in.clear();
  if (const absl::Status fits = CheckSize(file); !fits.ok()) return ToError(fits);
  return SubmitBatchStream(std::move(link), in, options);
}

Result<Batch> SubmitBatchStream(std::shared_ptr<JobsLink> link, std::istream& lines,
                                const BatchOptions& options) {
  const LineSource source = LinesOf(lines, link->options().max_body);
  return Submit(std::move(link), options, source);
}

// As JSON lines, for a prompt may have several lines of its own.
Result<Batch> SubmitBatchPrompts(std::shared_ptr<JobsLink> link, const std::vector<std::string>& prompts,
                                 const BatchOptions& options) {
  BatchOptions checked = options;
  checked.text = true;
  const auto as_text = ToContract(checked, link->options());
  if (!as_text.ok()) return ToError(as_text.status());
  const std::string route = as_text->route;
  size_t next = 0;
  const auto source = [&]() -> absl::StatusOr<std::optional<std::string>> {
    if (next == prompts.size()) return std::nullopt;
    const std::string& prompt = prompts[next++];
    if (FirstBadUtf8(prompt)) {
      return MakeFault(Fault::kInvalidRequest, fmt::format("prompt {} is not UTF-8", next));
    }
    return PromptLine(static_cast<int64_t>(next), prompt, options, route);
  };
  BatchOptions lines = options;
  lines.text = false;
  lines.route = route;
  lines.model.clear();
  lines.system.clear();
  lines.temperature.reset();
  lines.max_tokens.reset();
  return Submit(std::move(link), lines, source);
}

Result<Batch> FindBatch(std::shared_ptr<JobsLink> link, const std::string& id) {
  Batch batch(id, std::move(link));
  const auto there = batch.Progress();
  if (!there.ok()) return there.error();
  return batch;
}

Result<std::vector<BatchStatus>> ListBatches(JobsLink& link, size_t most) {
  auto batches = ReadPages(link, most);
  if (!batches.ok()) return ToError(batches.status());
  return *std::move(batches);
}

}  // namespace llm_router::client
