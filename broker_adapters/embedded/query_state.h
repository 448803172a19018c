// The three records of a query under way: Pending (its caller), Copy (one receiver's share of it) and
// QuerySubscriber (a receiver).
//
//   Pending --copies--> Copy --waits in--> a lane of the Backlog      until a subscriber has room
//                       Copy --runs at --> QuerySubscriber::runs      until its handler has ended
//
// Links are intrusive and undo themselves, so that each of the three may end first. Loop thread.
#pragma once

#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/broker.h"
#include "broker_adapters/pattern.h"

namespace llm_router {

class QueryTopics;
struct Lane;
struct Pending;

using Hook = boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
template <class T, Hook T::* kHook>
using LinkedList = boost::intrusive::list<T, boost::intrusive::member_hook<T, Hook, kHook>,
                                          boost::intrusive::constant_time_size<false>>;

// One receiver's share of a query. While it waits it belongs to its Pending, which is there; while it runs,
// to the coroutine that runs it.
struct Copy {
  explicit Copy(Pending& owner) : pending(&owner) {}

  Pending* pending;  // null once nobody waits for the answer
  Hook of_pending;
  Hook of_holder;            // in a lane or in a subscriber's runs
  Lane* lane = nullptr;      // where it waits
  size_t bytes = 0;          // what it counts for there
  TaskGroup::TaskId task{};  // what runs it
};

// A caller that waits. Lives in the frame of its Request.
struct Pending {
  Pending(Executor executor, Query asked, uint64_t number)
      : query(std::move(asked)), sequence(number), answer(executor) {}

  Query query;           // moved out to the last receiver
  uint64_t sequence;     // the order of arrival
  size_t unstarted = 0;  // copies that have not begun, each of which needs `query`
  bool started = false;  // some handler got it
  OneShot<absl::StatusOr<Reply>> answer;
  LinkedList<Copy, &Copy::of_pending> copies;
  Hook of_topics;
};

// Shared by its Subscription and by the handlers it runs, for either may end first.
struct QuerySubscriber : std::enable_shared_from_this<QuerySubscriber> {
  QuerySubscriber(Executor executor, Pattern subscribed, ServeOptions options, QueryHandler handle)
      : pattern(std::move(subscribed)),
        lane(std::move(options.group)),
        capacity(options.capacity),
        handler(std::move(handle)),
        idle(executor, TimePoint::max()) {}

  bool has_room() const { return outstanding < capacity; }

  const Pattern pattern;
  bool grouped = true;
  std::string lane;  // its group; without one, a name nobody else has
  const size_t capacity;
  const QueryHandler handler;
  QueryTopics* topics = nullptr;  // null once it ended
  bool in_service = false;        // takes queries
  size_t outstanding = 0;         // handlers running
  uint64_t last_served = 0;       // the least recent wins a tie
  LinkedList<Copy, &Copy::of_holder> runs;
  Timer idle;  // cancelled when a handler ends out of service
  Hook of_topics;
};

}  // namespace llm_router
