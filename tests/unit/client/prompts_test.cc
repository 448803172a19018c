#include "client/cli/prompts.h"

#include <sstream>

#include "broker_adapters/base/status.h"
#include "tests/support/catch.h"

namespace llm_router::cli {
namespace {

absl::StatusOr<std::vector<Prompt>> Read(const std::string& text, size_t max_bytes = 1000) {
  std::istringstream in(text);
  return ReadPrompts(in, "p.txt", max_bytes);
}

std::string ErrorOf(const std::string& text, size_t max_bytes = 1000) {
  const auto prompts = Read(text, max_bytes);
  REQUIRE_FALSE(prompts.ok());
  return std::string(MessageOf(prompts.status()));
}

TEST_CASE("each line is a prompt, blank ones are passed over but counted") {
  const auto prompts = Read("\xEF\xBB\xBFone\r\n\n \t\r\nfour \xC3\xA4\nlast");
  REQUIRE(prompts.ok());
  REQUIRE(prompts->size() == 3);
  CHECK((*prompts)[0].text == "one");
  CHECK((*prompts)[0].line == 1);
  CHECK((*prompts)[1].text == "four \xC3\xA4");
  CHECK((*prompts)[1].line == 4);
  CHECK((*prompts)[2].text == "last");
  CHECK((*prompts)[2].line == 5);
}

TEST_CASE("a file without a prompt says so") {
  for (const char* text : {"", "\n", " \r\n\t\n", "\xEF\xBB\xBF"}) {
    CHECK(ErrorOf(text) == "p.txt: holds no prompt: write one a line");
  }
}

TEST_CASE("lines that are no UTF-8 or too long are named by number, all at once") {
  CHECK(ErrorOf("fine\nab\xFF\n0123456789a\n", 10) ==
        "p.txt:2: is not UTF-8 at byte 3: save the file as UTF-8\n"
        "p.txt:3: has 11 bytes, the limit is 10: shorten it");
  CHECK(Read("0123456789\r\n", 10).ok());
}

TEST_CASE("of very many wrong lines some are named and the rest counted") {
  std::string text;
  for (int i = 0; i < 25; ++i) text += "\xFF\n";
  const std::string error = ErrorOf(text);
  CHECK(std::count(error.begin(), error.end(), '\n') == 20);
  CHECK_THAT(error, Catch::Contains("p.txt:20:") && Catch::EndsWith("\nand 5 more"));
}

}  // namespace
}  // namespace llm_router::cli
