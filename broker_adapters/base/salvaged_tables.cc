#include "broker_adapters/base/salvaged_tables.h"

#include <fmt/format.h>

namespace llm_router {

void SalvagedTables::Read(const char* table, const char* columns, const SalvagedRows::Visit& visit) {
  SalvagedRows rows(damaged_, table, columns);
  rows.ForEach(visit);
  unreadable_ += rows.unreadable();
  gave_up_ |= rows.gave_up();
}

std::string SalvagedTables::Unreadable(std::string_view nouns) const {
  if (unreadable_ == 0) return "";
  if (gave_up_) {
    return fmt::format(
        "; so much can't be read that the search was given up, and how many {} were there is not known",
        nouns);
  }
  return fmt::format("; {} ranges of row numbers can't be read, and how many {} had those is not known",
                     unreadable_, nouns);
}

}  // namespace llm_router
