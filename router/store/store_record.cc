#include "router/store/store_record.h"

#include <zlib.h>

#include <utility>

#include "kept_jobs.pb.h"

namespace llm_router {
namespace {

template <class Record>
void AddTags(const Tags& tags, Record& record) {
  for (const auto& [key, value] : tags) {
    kept::Tag& tag = *record.add_tags();
    tag.set_key(key);
    tag.set_value(value);
  }
}

template <class Record>
Tags TagsOf(const Record& record) {
  Tags tags;
  for (const auto& tag : record.tags()) tags.emplace(tag.key(), tag.value());
  return tags;
}

uLong Add(uLong sum, std::string_view bytes) {
  return crc32_z(sum, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
}

}  // namespace

std::string Encode(const QueryRecord& query) {
  kept::JobQuery record;
  record.set_body(query.body);
  AddTags(query.tags, record);
  return record.SerializeAsString();
}

std::string Encode(const ResultRecord& result) {
  kept::JobResult record;
  record.set_executed(result.reply.executed);
  record.set_error(result.reply.error);
  record.set_body(result.reply.body);
  AddTags(result.reply.tags, record);
  record.set_code(result.code);
  record.set_message(result.message);
  return record.SerializeAsString();
}

absl::StatusOr<QueryRecord> DecodeQuery(const std::string& bytes) {
  kept::JobQuery record;
  if (!record.ParseFromString(bytes)) return absl::DataLossError("a kept query can't be read");
  return QueryRecord(std::move(*record.mutable_body()), TagsOf(record));
}

absl::StatusOr<ResultRecord> DecodeResult(const std::string& bytes) {
  kept::JobResult record;
  if (!record.ParseFromString(bytes)) return absl::DataLossError("a kept result can't be read");
  ResultRecord result;
  result.reply.executed = record.executed();
  result.reply.error = std::move(*record.mutable_error());
  result.reply.body = std::move(*record.mutable_body());
  result.reply.tags = TagsOf(record);
  result.code = std::move(*record.mutable_code());
  result.message = std::move(*record.mutable_message());
  return result;
}

uint32_t ChecksumOf(std::string_view job, std::string_view record) {
  return static_cast<uint32_t>(Add(Add(0, job), record));
}

}  // namespace llm_router
