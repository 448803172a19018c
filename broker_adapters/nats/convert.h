// The port's messages <-> NATS's: the body is the payload, everything else is headers. Pure; any thread.
//
// Tags are headers of their own name, the rest is in headers that begin with `Llm-`. Where `Llm-Wire` is
// absent the message is a stranger's: its headers are tags, in lower case, its payload is the body, and a
// reply counts as executed.
#pragma once

#include <cstdint>
#include <optional>

#include "broker_adapters/broker.h"
#include "broker_adapters/nats/wire_message.h"

namespace llm_router::nats {

// To where `subject` says; a reply to a query's reply subject.
WireMessage ToWire(Message message, std::string subject);
WireMessage ToWire(Query query);
WireMessage ToWire(Reply reply, std::string subject);
// A failed status as a reply to the query with `query_tags`: to who reads faults it is that status again, to
// a stranger a reply with executed=false and an error body in the query's dialect.
WireMessage ToWire(const absl::Status& failure, const Tags& query_tags, std::string subject);
// `sent_at`: Unix ns.
WireMessage ToWire(Outgoing outgoing, std::string subject, int64_t sent_at);

// The channel is that of the subject.
Message MessageOf(WireMessage wire);
// The deadline is that of its timeout, from now.
Query QueryOf(WireMessage wire, Kind kind);
// A status where the reply is one.
absl::StatusOr<Reply> ReplyOf(WireMessage wire);

// Whether one of ours sent it.
bool IsOurs(const WireMessage& wire);

// An interim answer to one of ours: who has the query says where it can be asked whether it is there still.
WireMessage TakenBy(std::string where, std::string subject);
// That place; empty where the answer is another one.
std::string_view TakerIn(const WireMessage& wire);
// A last answer, of who had the query and went away without one, says where it could be asked.
void AddLoser(WireMessage& answer, std::string where);
std::string_view LoserIn(const WireMessage& wire);

// What a queue's message says about itself beside the message.
Attributes AttributesOf(const WireMessage& wire);
// When a delayed message is due, Unix ns; 0 = at once.
int64_t DueOf(const WireMessage& wire);

// A queue's message on its way from a delay to its queue, or from a queue to its dead letters: the same, but
// without what has been dealt with.
WireMessage Forwarded(const WireMessage& wire, std::string subject);
WireMessage Buried(const WireMessage& wire, std::string subject, std::string_view from);

}  // namespace llm_router::nats
