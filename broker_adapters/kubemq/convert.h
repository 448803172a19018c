// The KubeMQ wire's messages <-> the port's. Pure; any thread.
//
// Strings of ours go to the wire as valid UTF-8: a stray byte in one tag would end the stream of whoever
// receives it.
#pragma once

#include <optional>

#include "broker_adapters/broker.h"
#include "kubemq.pb.h"

namespace llm_router {

// The deadline is `arrival` plus the request's Timeout.
Query FromWire(const kubemq::Request& request, TimePoint arrival);
Reply FromWire(const kubemq::Response& response);
Message FromWire(const kubemq::Event& event);
Message FromWire(const kubemq::EventReceive& event);

// Timeout is what is left until the deadline, at least 1 ms. ReplyChannel is left to the caller, in both.
kubemq::Request ToWire(Query query);
kubemq::Response ToWire(Reply reply);
kubemq::Event EventToWire(Message event);
// An event without a timestamp gets the present one.
kubemq::EventReceive EventReceiveToWire(const Message& event);

// A failed status as a reply to the query that had `query_tags`: executed=false, its sentence, an error body
// in the query's dialect, and the fault's name in a tag by which FailureIn knows it again.
Reply FailedReply(const absl::Status& failure, const Tags& query_tags);
// The failed status a reply was made of, if it was.
std::optional<absl::Status> FailureIn(const Reply& reply);

}  // namespace llm_router
