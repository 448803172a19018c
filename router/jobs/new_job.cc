#include "router/jobs/new_job.h"

#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "proto/contract.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

namespace tag = contract::tag;

constexpr size_t kMostKey = 512;  // bytes
constexpr size_t kMostTags = 64;
constexpr size_t kMostTagBytes = size_t{64} * 1024;

absl::Status CheckTags(const Tags& tags) {
  size_t bytes = 0;
  for (const auto& [key, value] : tags) bytes += key.size() + value.size();
  if (tags.size() > kMostTags || bytes > kMostTagBytes)
    return MakeFault(Fault::kInvalidRequest, "a job's tags are more than 64, or than 64 KB: leave some out");
  if (TagOr(tags, tag::kIdempotencyKey).size() > kMostKey)
    return MakeFault(Fault::kInvalidRequest, "the tag idempotency-key takes at most 512 bytes");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<NewJob> MakeNewJob(std::string tenant, std::string route, std::string body, Tags tags) {
  if (body.empty()) return MakeFault(Fault::kInvalidRequest, "empty prompt: give the job a body");
  if (FirstBadUtf8(body)) return MakeFault(Fault::kInvalidRequest, "the job's body is not UTF-8");
  RETURN_IF_ERROR(CheckTags(tags));
  ASSIGN_OR_RETURN(const contract::QueryTags read, contract::ParseQueryTags(tags));
  NewJob job;
  job.reply_to = std::string(TagOr(tags, tag::kReplyTo));
  if (!job.reply_to.empty()) RETURN_IF_ERROR(contract::CheckReplyTo(job.reply_to));
  job.id = NewId();
  job.tenant = std::move(tenant);
  job.route = std::move(route);
  job.body = std::move(body);
  job.deadline = read.deadline_ms.value_or(0);
  job.interactive = TagOr(tags, tag::kPriority, "interactive") != "batch";
  job.idempotency_key = std::string(TagOr(tags, tag::kIdempotencyKey));
  for (const std::string_view own : {tag::kJob, tag::kQuery, tag::kTenant}) tags.erase(own);
  job.tags = std::move(tags);
  return job;
}

}  // namespace llm_router
