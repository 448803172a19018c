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
    if (row.needs_key) {
      CHECK_FALSE(row.key_variable.empty());
      CHECK(row.key_page.starts_with("https://"));
      CHECK_FALSE(row.default_model.empty());
    }
    CHECK((row.needs_key || row.base_url.empty() || row.base_url.starts_with("http://127.0.0.1:")));
    CHECK(row.base_url.empty() == !row.example_base_url.empty());
    CHECK((row.path.find("{api_version}") != row.path.npos) == !row.api_version.empty());
  }
}

TEST_CASE("configuration learns of every type what it must check") {
  REQUIRE(AllProviderTypes().size() == AllProviderRows().size());
  for (const ProviderType& type : AllProviderTypes()) {
    const ProviderRow* row = FindProviderRow(type.name);
    REQUIRE(row != nullptr);
    CHECK(type.needs_base_url == row->base_url.empty());
    CHECK(type.default_model == row->default_model);
    CHECK(type.example_base_url == row->example_base_url);
    CHECK(type.takes_api_version == !row->api_version.empty());
  }
}

TEST_CASE("no quirk of a row does nothing") {
  for (const ProviderRow& row : AllProviderRows()) {
    for (const Quirk& quirk : row.quirks) {
      INFO(row.type << " " << quirk.field);
      CHECK_FALSE(quirk.field.empty());
      const bool renames = quirk.kind == Quirk::Kind::kRename || quirk.kind == Quirk::Kind::kRole;
      CHECK(renames == !quirk.to.empty());
      CHECK((quirk.kind == Quirk::Kind::kRange) == (quirk.least < quirk.most));
      for (const std::string_view model : quirk.models) CHECK(HoldsFor(quirk, model));
    }
  }
}

TEST_CASE("a type that is not there is not found") { CHECK(FindProviderRow("nobody") == nullptr); }

}  // namespace
}  // namespace llm_router
