// SubscriberIndex: who is subscribed to a channel: one hash lookup for exact names, a walk for wildcards.
//
// Borrows its subscribers, which are removed before they end. Loop thread.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "broker_adapters/pattern.h"

namespace llm_router {

// Subscriber has a member `const Pattern pattern`.
template <class Subscriber>
class SubscriberIndex {
 public:
  void Add(Subscriber& subscriber) {
    ListOf(subscriber).push_back(&subscriber);
    ++size_;
  }

  void Remove(Subscriber& subscriber) {
    auto& list = ListOf(subscriber);
    const auto it = std::find(list.begin(), list.end(), &subscriber);
    if (it != list.end()) {
      list.erase(it);
      --size_;
    }
    if (list.empty() && subscriber.pattern.is_exact()) exact_.erase(subscriber.pattern.text());
  }

  // Calls `visit(Subscriber&)` for each; it must not add or remove any.
  template <class Visit>
  void ForEachMatch(const std::string& channel, Visit&& visit) const {
    if (const auto it = exact_.find(channel); it != exact_.end()) {
      for (Subscriber* subscriber : it->second) visit(*subscriber);
    }
    for (Subscriber* subscriber : wildcards_) {
      if (subscriber->pattern.Matches(channel)) visit(*subscriber);
    }
  }

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }

 private:
  std::vector<Subscriber*>& ListOf(const Subscriber& subscriber) {
    return subscriber.pattern.is_exact() ? exact_[subscriber.pattern.text()] : wildcards_;
  }

  absl::flat_hash_map<std::string, std::vector<Subscriber*>> exact_;
  std::vector<Subscriber*> wildcards_;
  size_t size_ = 0;
};

}  // namespace llm_router
