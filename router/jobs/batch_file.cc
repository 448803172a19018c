#include "router/jobs/batch_file.h"

#include <fmt/format.h>

#include <utility>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/jobs/batch_lines.h"

namespace llm_router {
namespace {

constexpr size_t kLongestLine = size_t{100} * 1024 * 1024;  // bytes; more than limits.body ever allows

class Filling {
 public:
  Filling(Store& store, std::string tenant, contract::Batch batch, std::vector<contract::RouteModels> routes,
          std::function<int64_t()> unix_ms)
      : store_(store),
        tenant_(std::move(tenant)),
        batch_(std::move(batch)),
        routes_(std::move(routes)),
        unix_ms_(std::move(unix_ms)) {}

  Awaitable<absl::Status> Run() {
    contract::ReadFile ask;
    ask.file = batch_.options.input_file;
    contract::FilePart part;
    do {
      CO_ASSIGN_OR_RETURN(part, co_await store_.ReadFile(tenant_, ask));
      ask.offset = part.next;
      CO_RETURN_IF_ERROR(co_await Take(std::move(part.data)));
    } while (part.has_more && !co_await Cancelled());
    if (co_await Cancelled()) co_return MakeFault(Fault::kCancelled, "who made the batch went away");
    if (rest_.empty()) co_return absl::OkStatus();
    co_return co_await Append(std::exchange(rest_, {}) + "\n");
  }

 private:
  // What ends with a newline goes; what does not waits for its end.
  Awaitable<absl::Status> Take(std::string data) {
    const auto end = data.rfind('\n');
    if (end == std::string::npos) {
      rest_ += data;
    } else {
      std::string lines = std::exchange(rest_, data.substr(end + 1));
      lines.append(data, 0, end + 1);
      CO_RETURN_IF_ERROR(co_await Append(std::move(lines)));
    }
    if (rest_.size() <= kLongestLine) co_return absl::OkStatus();
    co_return MakeFault(Fault::kTooLarge,
                        fmt::format("line {} of the file has more than {} bytes", next_line_, kLongestLine));
  }

  Awaitable<absl::Status> Append(std::string lines) {
    contract::AppendLines ask;
    ask.batch = batch_.id;
    ask.first_line = next_line_;
    ask.data = std::move(lines);
    AppendedLines read = co_await ReadBatchLines(std::move(ask), batch_.options, routes_);
    const auto appended = co_await store_.AppendLines(tenant_, std::move(read), unix_ms_());
    if (!appended.ok()) co_return appended.status();
    next_line_ = appended->next_line;
    co_return absl::OkStatus();
  }

  Store& store_;
  const std::string tenant_;
  const contract::Batch batch_;
  const std::vector<contract::RouteModels> routes_;
  const std::function<int64_t()> unix_ms_;
  std::string rest_;  // of a line whose end is in the next part
  int64_t next_line_ = 1;
};

}  // namespace

Awaitable<absl::Status> FillFromFile(Store& store, std::string tenant, contract::Batch batch,
                                     std::vector<contract::RouteModels> routes,
                                     std::function<int64_t()> unix_ms) {
  Filling filling(store, std::move(tenant), std::move(batch), std::move(routes), std::move(unix_ms));
  co_return co_await filling.Run();
}

}  // namespace llm_router
