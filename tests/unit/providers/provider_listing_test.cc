#include "router/providers/provider_listing.h"

#include <algorithm>

#include "router/providers/provider_table.h"
#include "tests/support/catch.h"
#include "tests/unit/providers/configured.h"

namespace llm_router {
namespace {

using test::Configured;

// The line that begins with `begin`, its runs of spaces as one.
std::string LineOf(const std::string& listing, std::string_view begin) {
  const size_t at = listing.find(begin);
  REQUIRE(at != listing.npos);
  std::string line;
  for (const char c : listing.substr(at, listing.find('\n', at) - at)) {
    if (c != ' ' || !line.ends_with(' ')) line += c;
  }
  return line;
}

TEST_CASE(
    "the listing tells of every provider and every other type whether its key is there, never the key") {
  Config config;
  config.providers = {Configured("gpt", "openai", "canary", "MY_KEY"), Configured("bare", "groq"),
                      Configured("written", "mistral", "canary"),
                      Configured("lab", "vllm", "", "", "http://10.0.0.1:8000/v1")};
  const std::string listing = ProviderListing(config, {{"XAI_API_KEY", "canary"}, {"HF_TOKEN", ""}});
  CHECK(listing.find("canary") == listing.npos);
  CHECK(LineOf(listing, "gpt") ==
        "gpt openai https://api.openai.com/v1 gpt-4o-mini MY_KEY (set) "
        "https://platform.openai.com/api-keys");
  CHECK_THAT(LineOf(listing, "bare"), Catch::Contains(" not set https://console.groq.com/keys"));
  CHECK_THAT(LineOf(listing, "written"), Catch::Contains(" set https://console.mistral.ai/api-keys"));
  CHECK(LineOf(listing, "lab") == "lab vllm http://10.0.0.1:8000/v1 - not needed -");
  CHECK_THAT(LineOf(listing, "-        xai"), Catch::Contains(" XAI_API_KEY (set) "));
  CHECK_THAT(LineOf(listing, "-        huggingface"), Catch::Contains(" HF_TOKEN (not set) "));
  CHECK_THAT(LineOf(listing, "-        azure"), Catch::Contains("https://RESOURCE.openai.azure.com"));
  CHECK(std::ranges::count(listing, '\n') == static_cast<std::ptrdiff_t>(1 + AllProviderRows().size()));
}

TEST_CASE("the reference has a row for every type") {
  const std::string table = ProviderReference();
  for (const ProviderRow& row : AllProviderRows()) {
    CHECK(table.find("| `" + std::string(row.type) + "` |") != table.npos);
  }
}

}  // namespace
}  // namespace llm_router
