// StoredTopics: the stored events of the embedded broker: kept on disk before Publish returns, given from
// there to who is behind and from memory to who is not.
//
// Memory holds for each place with subscribers the next 256 events or 1 MiB, and what its members have not
// acknowledged, 512 MiB over all. Places move on disk in the background, at once and together. Events older
// than the limit, and the oldest beyond the bytes that may be kept, are removed; so is a channel that was
// left empty and alone that long. Loop thread; `co_await Stop()` before destruction.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "broker_adapters/base/commit_thread.h"
#include "broker_adapters/base/log_limit.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/embedded/stored_file.h"
#include "broker_adapters/embedded/stored_options.h"
#include "broker_adapters/embedded/stored_state.h"
#include "broker_adapters/stored_events.h"

namespace llm_router {

class StoredTopics final : public StoredEvents {
 public:
  // What it keeps things in. Fault storage_failed when the folder can't be used.
  struct Disk {
    std::unique_ptr<SQLite::Database> database;
    std::unique_ptr<StoredFile> file;
  };
  static absl::StatusOr<Disk> OpenDisk(const StoredOptions& options);

  StoredTopics(Executor executor, StoredOptions options, Disk disk);
  ~StoredTopics() override;

  Awaitable<absl::StatusOr<uint64_t>> Publish(Message event) override;
  Awaitable<absl::StatusOr<StoredSubscriptionPtr>> Subscribe(StoredSubscribe options,
                                                             StoredHandler handler) override;
  Awaitable<absl::StatusOr<uint64_t>> Purge(std::string channel) override;
  Awaitable<absl::Status> Delete(std::string channel) override;
  std::vector<StoredTotals> Channels() const override;

  // Ends every subscription, and puts on disk how far each has come.
  Awaitable<void> Stop();

  // For a StoredSubscription.
  void Acknowledge(StoredMember& member, uint64_t sequence);
  void Leave(const std::shared_ptr<StoredMember>& member);

 private:
  using ReaderPtr = std::shared_ptr<StoredReader>;
  using MemberPtr = std::shared_ptr<StoredMember>;

  CommitThread::Hooks HooksOf();
  static absl::Status Stopping();
  absl::Status CheckRoom(const std::string& channel, size_t bytes) const;
  StoredChannel& ChannelOf(const std::string& channel);
  void Published(const StoredEventPtr& event, size_t bytes);
  Awaitable<absl::StatusOr<uint64_t>> Remove(std::string channel, bool whole);
  void Removed(StoredChannel& channel, bool whole);

  absl::StatusOr<ReaderPtr> ReaderOf(const StoredSubscribe& options);
  void Join(const ReaderPtr& reader, const MemberPtr& member);
  void ForgetUnmade(const ReaderPtr& reader);

  void Wake(const ReaderPtr& reader);
  void WakeAll();
  Awaitable<void> Deliver(ReaderPtr reader);
  static MemberPtr FreeMember(const StoredReader& reader);
  static StoredEventPtr TakeNext(StoredReader& reader);
  void Give(StoredMember& member, StoredEventPtr event);
  bool IsBehind(const StoredReader& reader) const;
  void Read(const ReaderPtr& reader);
  void SetAside(const std::string& channel, const StoredFile::Page& page);
  void Loaded(const ReaderPtr& reader, StoredFile::Page& page);
  Awaitable<void> ReadLater(ReaderPtr reader);
  void Save(const ReaderPtr& reader);

  int64_t OldBefore() const;
  Awaitable<void> DropOld();
  Awaitable<bool> DropSome();
  void Dropped(const std::map<std::string, StoredFile::Erased>& erased);
  Awaitable<void> DropIdle();

  Executor executor_;
  const StoredOptions options_;
  CommitThread commits_;
  std::unique_ptr<StoredFile> file_;  // its thread's
  TaskGroup tasks_;
  std::map<std::string, StoredChannel, std::less<>> channels_;
  size_t places_ = 0;
  uint64_t bytes_ = 0;      // of all that is kept
  size_t given_bytes_ = 0;  // of what is not acknowledged, over all
  LogLimit unsaved_;
  bool starved_ = false;  // somebody was given nothing for that
  Timer full_;            // cancelled when there are more bytes than may be kept
  bool stopping_ = false;
};

}  // namespace llm_router
