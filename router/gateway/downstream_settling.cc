#include "router/gateway/downstream_settling.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "broker_adapters/base/text.h"
#include "broker_adapters/kubemq/queue_check.h"
#include "proto/kubemq_queue_text.h"
#include "proto/kubemq_text.h"

namespace llm_router {
namespace {

constexpr Milliseconds kMostNackDelay = std::chrono::seconds(kubemq_check::kMostDelaySeconds);

constexpr std::string_view kBadNackDelay =
    "nack-delay-ms takes a whole number of milliseconds from 0 to 43200000";

constexpr std::array kSettlings = {
    SettlingRow{kubemq::AckAll, Deed::kAck, false, "", ""},
    SettlingRow{kubemq::AckRange, Deed::kAck, true, kubemq_text::kAckNothing, kubemq_text::kAckUnknown},
    SettlingRow{kubemq::NAckAll, Deed::kNack, false, "", ""},
    SettlingRow{kubemq::NAckRange, Deed::kNack, true, kubemq_text::kNackNothing, kubemq_text::kNackUnknown},
    SettlingRow{kubemq::ReQueueAll, Deed::kRequeue, false, "", ""},
    SettlingRow{kubemq::ReQueueRange, Deed::kRequeue, true, kubemq_text::kRequeueNothing,
                kubemq_text::kAckUnknown},
    SettlingRow{kubemq::CloseByClient, Deed::kClose, false, "", ""},
};

std::optional<Milliseconds> NackDelayOf(const kubemq::QueuesDownstreamRequest& request) {
  const auto text = MetadataOr(request, kubemq_text::kNackDelay);
  if (text.empty()) return Milliseconds(0);
  const auto delay = ParseNumber<int64_t>(text);
  if (!delay || *delay < 0 || *delay > kMostNackDelay.count()) return std::nullopt;
  return Milliseconds(*delay);
}

}  // namespace

std::string_view MetadataOr(const kubemq::QueuesDownstreamRequest& request, std::string_view key) {
  const auto found = request.metadata().find(std::string(key));
  return found == request.metadata().end() ? std::string_view() : std::string_view(found->second);
}

bool Asks(const kubemq::QueuesDownstreamRequest& request, std::string_view key) {
  return MetadataOr(request, key) == kubemq_text::kYes;
}

const SettlingRow* SettlingOf(const kubemq::QueuesDownstreamRequest& request) {
  const auto found = std::ranges::find(kSettlings, request.requesttypedata(), &SettlingRow::type);
  return found == kSettlings.end() ? nullptr : &*found;
}

std::string_view SettlingFault(const SettlingRow& row, const kubemq::QueuesDownstreamRequest& request) {
  if (row.is_range && request.sequencerange().empty()) return row.nothing;
  if (row.deed == Deed::kRequeue && request.requeuechannel().empty()) return kubemq_text::kRequeueNowhere;
  if (row.deed == Deed::kRequeue) return kubemq_check::QueueName(request.requeuechannel());
  return NackDelayOf(request) ? std::string_view() : kBadNackDelay;
}

Settlement SettlementOf(const SettlingRow& row, const kubemq::QueuesDownstreamRequest& request) {
  Settlement settlement;
  if (row.deed == Deed::kClose || (row.deed == Deed::kNack && Asks(request, kubemq_text::kRelease))) {
    settlement.verdict = Settlement::Verdict::kRelease;
  } else if (row.deed == Deed::kNack) {
    settlement.verdict = Settlement::Verdict::kNack;
    settlement.delay = *NackDelayOf(request);
  }
  return settlement;
}

}  // namespace llm_router
