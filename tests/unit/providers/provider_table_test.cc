#include "router/providers/provider_table.h"

#include "router/config/checks.h"
#include "router/dialects/dialect.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

TEST_CASE("every row of the table can be called") {
  for (const ProviderRow& row : AllProviderRows()) {
    INFO(row.type);
    CHECK(FindProviderRow(row.type) == &row);
    CHECK(FindDialect(row.dialect) != nullptr);
    CHECK((row.base_url.empty() || CheckBaseUrl(row.base_url).ok()));
    CHECK_FALSE(row.base_url.ends_with('/'));
    CHECK(row.path.starts_with('/'));
    CHECK_FALSE(row.auth_header.empty());
    CHECK(row.needs_key == !row.key_variable.empty());
  }
}

TEST_CASE("configuration learns of every type what it must check") {
  REQUIRE(AllProviderTypes().size() == AllProviderRows().size());
  for (const ProviderType& type : AllProviderTypes()) {
    const ProviderRow* row = FindProviderRow(type.name);
    REQUIRE(row != nullptr);
    CHECK(type.needs_base_url == row->base_url.empty());
    CHECK(type.default_model == row->default_model);
  }
}

TEST_CASE("a type that is not there is not found") { CHECK(FindProviderRow("nobody") == nullptr); }

}  // namespace
}  // namespace llm_router
