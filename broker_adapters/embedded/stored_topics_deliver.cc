// Delivering: what is read for a place, who of its members gets it, and how far they have come.
#include <algorithm>
#include <utility>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/embedded/queue_record.h"
#include "broker_adapters/embedded/stored_limits.h"
#include "broker_adapters/embedded/stored_topics.h"

namespace llm_router {
namespace {

constexpr int kBatch = 256;
constexpr auto kTryAgain = std::chrono::seconds(1);

// An exception of one handler is not the other subscribers' trouble.
void Call(const StoredMember& member, const StoredEvent& event) {
  try {
    member.handler(event);
  } catch (const std::exception& error) {
    log::Error("a handler of stored events of {} failed: {}", event.message.channel, error.what());
  }
}

}  // namespace

void StoredTopics::Wake(const ReaderPtr& reader) {
  if (stopping_ || !reader->ready || std::exchange(reader->delivering, true)) return;
  tasks_.Spawn(Deliver(reader));
}

// Who was given nothing because too much was under way.
void StoredTopics::WakeAll() {
  if (given_bytes_ >= kMostGivenBytes || !std::exchange(starved_, false)) return;
  for (const auto& [name, channel] : channels_) {
    for (const StoredReader* reader : channel.live) Wake(channel.readers.at(reader->place.owner));
  }
}

// At most a batch; the rest is for later turns of the loop. Handlers may acknowledge, subscribe and leave.
Awaitable<void> StoredTopics::Deliver(ReaderPtr reader) {
  MemberPtr member;
  for (int left = kBatch; left > 0 && (member = FreeMember(*reader)) != nullptr; --left) {
    if (given_bytes_ >= kMostGivenBytes) {
      starved_ = true;
      break;
    }
    StoredEventPtr event = TakeNext(*reader);
    if (!event) break;
    Give(*member, std::move(event));
  }
  reader->delivering = false;
  Save(reader);
  if (starved_ || !FreeMember(*reader)) co_return;
  const bool may_go_on = reader->TakenTo() - reader->Position() < kMostAhead;
  if (!reader->again.empty() || (!reader->window.empty() && may_go_on)) {
    Wake(reader);
  } else if (reader->window.empty() && may_go_on && IsBehind(*reader)) {
    Read(reader);
  }
}

// The member with room that has the least to do.
StoredTopics::MemberPtr StoredTopics::FreeMember(const StoredReader& reader) {
  MemberPtr best;
  for (const MemberPtr& member : reader.members) {
    if (member->HasRoom() && (!best || member->given.size() < best->given.size())) best = member;
  }
  return best;
}

StoredEventPtr StoredTopics::TakeNext(StoredReader& reader) {
  if (!reader.again.empty()) return std::move(reader.again.extract(reader.again.begin()).mapped());
  if (reader.window.empty() || reader.TakenTo() - reader.Position() >= kMostAhead) return nullptr;
  StoredEventPtr event = std::move(reader.window.front());
  reader.window.pop_front();
  reader.window_bytes -= BytesOf(*event);
  reader.open.insert(event->sequence);
  return event;
}

void StoredTopics::Give(StoredMember& member, StoredEventPtr event) {
  const size_t bytes = BytesOf(*event);
  member.given_bytes += bytes;
  given_bytes_ += bytes;
  member.given.emplace(event->sequence, event);
  Call(member, *event);
}

void StoredTopics::Acknowledge(StoredMember& member, uint64_t sequence) {
  const auto found = member.given.find(sequence);
  if (found == member.given.end()) return;
  const size_t bytes = BytesOf(*found->second);
  member.given.erase(found);
  member.given_bytes -= bytes;
  given_bytes_ -= bytes;
  if (member.given.empty()) member.acknowledged.cancel();
  const ReaderPtr reader = member.reader;
  reader->open.erase(sequence);
  Save(reader);
  Wake(reader);
  WakeAll();
}

bool StoredTopics::IsBehind(const StoredReader& reader) const {
  const auto channel = channels_.find(reader.channel);
  return channel != channels_.end() && channel->second.totals.last_sequence > reader.loaded_to;
}

void StoredTopics::Read(const ReaderPtr& reader) {
  if (stopping_ || std::exchange(reader->reading, true)) return;
  const auto page = std::make_shared<StoredFile::Page>();
  commits_.Submit(
      [file = file_.get(), page, channel = reader->channel, after = reader->loaded_to] {
        *page = file->Read(channel, after, kStoredPage, kStoredPageBytes);
        return absl::OkStatus();
      },
      0,
      [this, reader, page, after = reader->loaded_to](const absl::Status& status) {
        if (!status.ok()) {
          log::Error("stored events of {} can't be read: {}", reader->channel, MessageOf(status));
          if (stopping_) return;
          tasks_.Spawn(ReadLater(reader));
          return;
        }
        reader->reading = false;
        SetAside(reader->channel, *page);
        // Meanwhile everybody may have left, and others come, or a purge.
        if (reader->loaded_to == after && !reader->members.empty()) Loaded(reader, *page);
        Wake(reader);
      });
}

void StoredTopics::Loaded(const ReaderPtr& reader, StoredFile::Page& page) {
  for (StoredFile::Row& row : page.events) {
    auto kept = Decode(row.record);
    // Its checksum holds, so a later version wrote it: it stays on disk for that one.
    if (!kept.ok()) {
      log::Error("a stored event of {} can't be read by this version: it stays where it is", reader->channel);
      continue;
    }
    auto event = std::make_shared<StoredEvent>();
    event->message = std::move(kept->message);
    event->message.channel = reader->channel;
    event->sequence = row.sequence;
    event->stored_at = row.stored_at;
    reader->Load(std::move(event));
  }
  reader->loaded_to = page.read_to;
}

void StoredTopics::SetAside(const std::string& channel, const StoredFile::Page& page) {
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return;
  StoredTotals& totals = found->second.totals;
  totals.events -= std::min(totals.events, page.damaged);
  const uint64_t bytes = std::min(totals.bytes, page.damaged_bytes + page.damaged * kStoredOverhead);
  totals.bytes -= bytes;
  bytes_ -= bytes;
}

Awaitable<void> StoredTopics::ReadLater(ReaderPtr reader) {
  (void)co_await Sleep(Now() + kTryAgain);
  reader->reading = false;
  Wake(reader);
}

// One at a time for a place: meanwhile others gather, and go together.
void StoredTopics::Save(const ReaderPtr& reader) {
  const uint64_t position = reader->Position();
  if (stopping_ || !reader->ready || reader->saving || position <= reader->place.position) return;
  reader->saving = true;
  StoredPlace place = reader->place;
  place.position = position;
  commits_.Submit(
      [file = file_.get(), place] {
        file->Move(place);
        return absl::OkStatus();
      },
      0,
      [this, reader, position](const absl::Status& status) {
        reader->saving = false;
        if (!status.ok()) {
          if (const auto left_out = unsaved_.Admit(Now())) {
            log::Error(
                "how far stored events of {} are read can't be kept: {}: some may come again ({} more)",
                reader->channel, MessageOf(status), *left_out);
          }
          return;
        }
        reader->place.position = position;
        Save(reader);
      });
}

}  // namespace llm_router
