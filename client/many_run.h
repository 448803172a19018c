// ManyRun: one AskMany under way: its questions, taken one by one, and its answers, handed back as they come.
//
// Shared by the caller's thread, which collects, and the client's lanes, which ask: whichever ends last frees
// it. A mutex guards all of it but the questions and lanes, which only the client's loop touches.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "broker_adapters/base/task_group.h"
#include "client/client.h"

namespace llm_router::client {

class ManyRun {
 public:
  explicit ManyRun(std::vector<Question> questions);

  // ---- the client's loop ----

  // The next question to ask, which is the lane's now; nothing when all are taken.
  struct Taken {
    size_t index;
    Question question;
  };
  std::optional<Taken> Take();
  void Finish(size_t index, Result<Answer> result);
  std::vector<TaskGroup::TaskId> lanes;

  // ---- the caller's thread ----

  // Waits for every answer, in the order of the questions. What `on_progress` throws comes out here.
  std::vector<Result<Answer>> Collect(const std::function<void(const Progress&)>& on_progress);

 private:
  using Finished = std::pair<size_t, Result<Answer>>;
  Finished WaitForNext();

  std::vector<Question> questions_;
  const size_t total_;
  size_t next_ = 0;
  std::mutex mutex_;
  std::condition_variable news_;
  std::deque<Finished> finished_;
};

}  // namespace llm_router::client
