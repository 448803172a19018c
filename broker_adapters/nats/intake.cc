#include "broker_adapters/nats/intake.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "broker_adapters/base/log.h"

namespace llm_router::nats {
namespace {

constexpr size_t kMostMessages = 65'536;
constexpr size_t kMostBytes = size_t{256} * 1024 * 1024;

size_t SizeOf(const Arrival& arrival) { return arrival.message ? arrival.message->size() : 0; }

}  // namespace

Intake::Intake(Executor executor, Handler handler) : executor_(executor), handler_(std::move(handler)) {}

void Intake::Put(Arrival arrival) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  const bool full = waiting_.size() >= kMostMessages || bytes_ >= kMostBytes;
  if (full && arrival.message) {
    if (const auto more = dropped_.Admit(Now()))
      log::Warning("messages from NATS are dropped, for they come faster than they are taken ({} more)",
                   *more);
    return;
  }
  bytes_ += SizeOf(arrival);
  waiting_.push_back(std::move(arrival));
  if (std::exchange(posted_, true)) return;
  boost::asio::post(executor_, [self = shared_from_this()] { self->HandOver(); });
}

void Intake::HandOver() {
  std::deque<Arrival> taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(waiting_);
    bytes_ = 0;
    posted_ = false;
  }
  for (Arrival& arrival : taken) {
    if (!handler_) return;
    handler_(std::move(arrival));
  }
}

void Intake::Close() {
  handler_ = nullptr;
  const std::lock_guard lock(mutex_);
  closed_ = true;
  waiting_.clear();
}

}  // namespace llm_router::nats
