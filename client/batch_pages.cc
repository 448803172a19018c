#include "client/batch_pages.h"

#include <utility>

#include "broker_adapters/base/status.h"
#include "client/batch_convert.h"
#include "proto/batch.h"

namespace llm_router::client {

static_assert(static_cast<int>(Lines::kFailed) == static_cast<int>(contract::ReadLines::Which::kFailed));

absl::StatusOr<int64_t> ReadLinePages(JobsLink& link, const std::string& batch, Lines which,
                                      const std::function<void(std::string row)>& on_row) {
  contract::ReadLines ask;
  ask.batch = batch;
  ask.which = static_cast<contract::ReadLines::Which>(which);
  int64_t count = 0;
  for (bool has_more = true; has_more;) {
    ASSIGN_OR_RETURN(const std::string body, link.Ask(ToJson(ask), Repeat::kYes));
    ASSIGN_OR_RETURN(contract::LinePage page, contract::ParseLinePage(body));
    count += static_cast<int64_t>(page.lines.size());
    for (std::string& row : page.lines) on_row(std::move(row));
    has_more = page.has_more && page.next > ask.after;
    ask.after = page.next;
  }
  return count;
}

absl::StatusOr<int64_t> ReadErrorPages(JobsLink& link, const std::string& batch,
                                       const std::function<void(const BadLine&)>& on_bad_line) {
  contract::ReadErrors ask;
  ask.batch = batch;
  int64_t count = 0;
  for (bool has_more = true; has_more;) {
    ASSIGN_OR_RETURN(const std::string body, link.Ask(ToJson(ask), Repeat::kYes));
    ASSIGN_OR_RETURN(const contract::ErrorPage page, contract::ParseErrorPage(body));
    count += static_cast<int64_t>(page.errors.size());
    for (const contract::BatchError& error : page.errors) on_bad_line(ToBadLine(error));
    has_more = page.has_more && !page.errors.empty();
    if (!page.errors.empty()) ask.after = page.errors.back().line;
  }
  return count;
}

}  // namespace llm_router::client
