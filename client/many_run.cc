#include "client/many_run.h"

namespace llm_router::client {

ManyRun::ManyRun(std::vector<Question> questions)
    : questions_(std::move(questions)), total_(questions_.size()) {}

std::optional<ManyRun::Taken> ManyRun::Take() {
  if (next_ == total_) return std::nullopt;
  const size_t index = next_++;
  return Taken{index, std::move(questions_[index])};
}

void ManyRun::Finish(size_t index, Result<Answer> result) {
  const std::lock_guard lock(mutex_);
  finished_.emplace_back(index, std::move(result));
  news_.notify_one();
}

ManyRun::Finished ManyRun::WaitForNext() {
  std::unique_lock lock(mutex_);
  news_.wait(lock, [this] { return !finished_.empty(); });
  Finished next = std::move(finished_.front());
  finished_.pop_front();
  return next;
}

std::vector<Result<Answer>> ManyRun::Collect(const std::function<void(const Progress&)>& on_progress) {
  std::vector<std::optional<Result<Answer>>> collected(total_);
  size_t failed = 0;
  for (size_t done = 1; done <= total_; ++done) {
    auto [index, result] = WaitForNext();
    if (!result.ok()) ++failed;
    if (on_progress) on_progress(Progress{index, result, done, failed, total_});
    collected[index].emplace(std::move(result));
  }
  std::vector<Result<Answer>> results;
  results.reserve(total_);
  for (auto& result : collected) results.push_back(*std::move(result));
  return results;
}

}  // namespace llm_router::client
