// The examples as users run them, and the README that shows one.
#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "tests/support/catch.h"
#include "tests/unit/client/jobs_service.h"
#include "tests/unit/client/server.h"

namespace llm_router::client {
namespace {

struct Ran {
  int status = 0;
  std::string out;
};

Ran Run(const std::string& command) {
  Ran ran;
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 4096> block;
  while (const size_t size = fread(block.data(), 1, block.size(), pipe)) ran.out.append(block.data(), size);
  ran.status = pclose(pipe);
  return ran;
}

std::string FileText(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST_CASE("the examples ask the server that LLM_ROUTER_ADDRESS names, and print the answers") {
  Server server;
  server.ServeEcho("openai");
  const std::string place = "LLM_ROUTER_ADDRESS=" + server.address() + " " EXAMPLES_DIR;

  const Ran ask = Run(place + "/example_ask");
  CHECK(ask.status == 0);
  CHECK(ask.out == "|In one sentence: what is a message broker?\n(m, test)\n");

  const Ran async = Run(place + "/example_ask_async");
  CHECK(async.status == 0);
  for (const char* word : {"broker", "queue", "worker"}) {
    CHECK_THAT(async.out,
               Catch::Contains(std::string("newcomer.|In one sentence: what is a ") + word + "?\n"));
  }

  const Ran stream = Run(place + "/example_stream 2>&1");
  CHECK(stream.status == 0);
  CHECK(stream.out == "|In a few sentences: what is a message broker?\ntest m\n");

  const Ran many = Run(place + "/example_ask_many 2>/dev/null");
  CHECK(many.status == 0);
  CHECK_THAT(many.out, Catch::StartsWith("|In one sentence: what is a computer of 1990?\n") &&
                           Catch::EndsWith("|In one sentence: what is a computer of 1999?\n"));

  const Ran unknown = Run(place + "/example_ask nobody 2>&1");
  CHECK(unknown.status != 0);
  CHECK_THAT(unknown.out, Catch::Contains("nobody") && Catch::Contains("openai"));
}

TEST_CASE("the examples of jobs and batches submit, wait and print the answers") {
  JobsService service;
  Server server;
  service.ServeOn(server);
  const std::string place = "LLM_ROUTER_ADDRESS=" + server.address() + " " EXAMPLES_DIR;

  const Ran submit = Run(place + "/example_submit 2>/dev/null");
  CHECK(submit.status == 0);
  CHECK(submit.out == "|In one sentence: what is a durable queue?\n");

  const Ran batch = Run(place + "/example_batch 2>&1");
  CHECK(batch.status == 0);
  CHECK_THAT(batch.out, Catch::Contains("10 of 10 done, 0 failed\n") &&
                            Catch::Contains("1: In one sentence: what is a computer of 1990?\n") &&
                            Catch::EndsWith("10: In one sentence: what is a computer of 1999?\n"));
}

TEST_CASE("the README shows the examples as they are built") {
  const std::string client = SOURCE_DIR "/client";
  for (const char* name : {"ask.cc", "ask_many.cc", "batch.cc", "stream.cc", "submit.cc"}) {
    const std::string example = FileText(client + "/examples/" + name);
    REQUIRE_FALSE(example.empty());
    CHECK_THAT(FileText(client + "/README.md"), Catch::Contains("```cpp\n" + example + "```"));
  }
}

}  // namespace
}  // namespace llm_router::client
