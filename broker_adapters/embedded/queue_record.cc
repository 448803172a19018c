#include "broker_adapters/embedded/queue_record.h"

#include <zlib.h>

#include <utility>

#include "kept.pb.h"

namespace llm_router {

std::string Encode(const KeptMessage& kept) {
  kept::Message record;
  const Message& message = kept.message;
  record.set_id(message.id);
  record.set_body(message.body);
  record.set_metadata(message.metadata);
  record.set_client_id(message.client_id);
  record.set_span(message.span);
  for (const auto& [key, value] : message.tags) {
    kept::Tag& tag = *record.add_tags();
    tag.set_key(key);
    tag.set_value(value);
  }
  record.set_timestamp(message.timestamp);
  record.set_sent_at(kept.sent_at);
  record.set_rerouted_from(kept.rerouted_from);
  record.set_max_deliveries(kept.max_deliveries);
  record.set_dead_letter(kept.dead_letter);
  record.set_queue(message.channel);
  return record.SerializeAsString();
}

absl::StatusOr<KeptMessage> Decode(const std::string& bytes) {
  kept::Message record;
  if (!record.ParseFromString(bytes)) return absl::DataLossError("a kept message can't be read");
  KeptMessage kept;
  Message& message = kept.message;
  message.channel = std::move(*record.mutable_queue());
  message.id = std::move(*record.mutable_id());
  message.body = std::move(*record.mutable_body());
  message.metadata = std::move(*record.mutable_metadata());
  message.client_id = std::move(*record.mutable_client_id());
  message.span = std::move(*record.mutable_span());
  for (const auto& tag : record.tags()) message.tags.emplace(tag.key(), tag.value());
  message.timestamp = record.timestamp();
  kept.sent_at = record.sent_at();
  kept.rerouted_from = std::move(*record.mutable_rerouted_from());
  kept.max_deliveries = record.max_deliveries();
  kept.dead_letter = std::move(*record.mutable_dead_letter());
  return kept;
}

uint32_t Checksum(int64_t queue, const Place& place, int64_t due, std::string_view record) {
  return Checksum(
      {queue, place.id, static_cast<int64_t>(place.sequence), place.expires, place.deliveries, due}, record);
}

uint32_t Checksum(std::initializer_list<int64_t> numbers, std::string_view text) {
  uLong sum = crc32_z(0, reinterpret_cast<const Bytef*>(numbers.begin()), numbers.size() * sizeof(int64_t));
  sum = crc32_z(sum, reinterpret_cast<const Bytef*>(text.data()), text.size());
  return static_cast<uint32_t>(sum);
}

}  // namespace llm_router
