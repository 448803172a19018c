#include "router/gateway/channel_management.h"

#include <fmt/format.h>

#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/kubemq/check.h"
#include "proto/fault.h"
#include "proto/kubemq_text.h"
#include "router/gateway/kubemq_access.h"
#include "router/gateway/stored_door.h"

namespace llm_router {
namespace {

Awaitable<absl::StatusOr<ChannelRegistry::Depths>> DepthsOf(ChannelType type, Broker& broker) {
  ChannelRegistry::Depths depths;
  QueueAdmin* const admin = broker.queue_admin();
  if (type != ChannelType::kQueues || admin == nullptr) co_return depths;
  CO_ASSIGN_OR_RETURN(const auto all, co_await admin->Queues());
  for (const QueueTotals& totals : all) {
    const uint64_t waiting = totals.waiting + totals.leased.value_or(0);
    const uint64_t delayed = totals.delayed.value_or(0);
    // A queue that was emptied and deleted is no channel any more.
    if (waiting + delayed > 0) depths[totals.name] = ChannelRegistry::Depth(waiting, delayed);
  }
  co_return depths;
}

// What a channel keeps goes with it.
Awaitable<absl::Status> Empty(KubemqServer& server, ChannelType type, std::string channel) {
  StoredEvents* const stored = server.broker().stored_events();
  if (type == ChannelType::kEventsStore && stored != nullptr) co_return co_await stored->Delete(channel);
  QueueAdmin* const admin = server.broker().queue_admin();
  if (type != ChannelType::kQueues || admin == nullptr) co_return absl::OkStatus();
  const auto purged = co_await admin->Purge(std::move(channel));
  co_return purged.status();
}

}  // namespace

Awaitable<absl::StatusOr<std::string>> ManageChannels(KubemqServer& server, Message request,
                                                      CallerPtr caller) {
  const Tags& tags = request.tags;
  const std::string& verb = request.metadata;
  const auto type = ChannelTypeNamed(TagOr(tags, "channel_type"));
  if (!type) {
    co_return MakeFault(Fault::kInvalidRequest,
                        "tag channel_type is missing or unknown: it takes events, events_store, commands, "
                        "queries or queues");
  }
  if (verb == kubemq_text::kListChannels) {
    if (*type == ChannelType::kEventsStore) ListStoredChannels(server);
    const ChannelRegistry::Visible visible = [&caller](std::string_view channel) {
      return CheckAccess(*caller, Verb::kSeeChannel, channel).ok();
    };
    const auto search = TagOr(tags, "channel_search", TagOr(tags, "search"));
    CO_ASSIGN_OR_RETURN(const auto depths, co_await DepthsOf(*type, server.broker()));
    co_return server.channels().List(*type, search, visible, depths);
  }
  const std::string channel(TagOr(tags, "channel"));
  if (const auto text = kubemq_check::Channel(channel); !text.empty())
    co_return MakeFault(Fault::kInvalidRequest, text);
  if (verb == kubemq_text::kCreateChannel) {
    server.channels().Create(*type, channel);
  } else if (verb == kubemq_text::kDeleteChannel) {
    CO_RETURN_IF_ERROR(co_await Empty(server, *type, channel));
    server.channels().Delete(*type, channel);
  } else {
    co_return MakeFault(Fault::kInvalidRequest,
                        fmt::format("\"{}\" is no request to this server: there are create-channel, "
                                    "delete-channel and list-channels",
                                    verb.substr(0, 64)));
  }
  co_return "";
}

}  // namespace llm_router
