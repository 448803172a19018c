// What of a job is kept as a record with a checksum: its query, and its result. Values; pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "broker_adapters/base/tags.h"
#include "proto/job.h"

namespace llm_router {

struct QueryRecord {
  QueryRecord() = default;
  QueryRecord(std::string its_body, Tags its_tags) : body(std::move(its_body)), tags(std::move(its_tags)) {}

  std::string body;
  Tags tags;
};

struct ResultRecord {
  ResultRecord() = default;
  // Without an answer of a provider.
  ResultRecord(std::string_view its_code, std::string_view its_message)
      : code(its_code), message(its_message) {
    reply.error = its_message;
  }

  contract::JobReply reply;
  std::string code;     // why it failed: a fault's name, or batch_expired, batch_cancelled; empty: it did not
  std::string message;  // the same as a sentence
};

std::string Encode(const QueryRecord& query);
std::string Encode(const ResultRecord& result);
// data_loss when the bytes are none.
absl::StatusOr<QueryRecord> DecodeQuery(const std::string& bytes);
absl::StatusOr<ResultRecord> DecodeResult(const std::string& bytes);

// Over the record and whose it is.
uint32_t ChecksumOf(std::string_view job, std::string_view record);

}  // namespace llm_router
