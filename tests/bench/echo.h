// A query handler that answers with the query's own body.
#pragma once

#include <utility>

#include "broker_adapters/broker.h"

namespace llm_router {

inline Awaitable<absl::StatusOr<Reply>> Echo(Query query) {
  Reply reply;
  reply.executed = true;
  reply.message.body = std::move(query.message.body);
  co_return reply;
}

}  // namespace llm_router
