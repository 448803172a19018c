// ChoosePattern: which way of asking fits a piece of work, and why.
//
//   const auto advice = llm_router::client::ChoosePattern({/*count=*/400, /*bytes=*/2'000, Urgency::kSoon});
//   std::cout << advice.call << ": " << advice.reason << '\n';
//
// Pure; any thread. C++17, standard library only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace llm_router::client {

enum class Pattern {
  kSync,   // ask and wait: Client::Ask
  kAsync,  // ask and go on: Client::AskAsync, or AskMany for many
  kBatch,  // give it to the server, which keeps it until it is done: Client::Submit, or SubmitBatch for many
};

// "sync" for kSync, and so on. Lives as long as the process.
std::string_view NameOf(Pattern pattern);

enum class Urgency {
  kNow,       // somebody waits for the answer
  kSoon,      // needed by this process, but not by who is running now
  kWhenever,  // minutes do not matter, nor whether this process still runs then
};

struct Work {
  std::size_t count = 1;  // questions
  std::size_t bytes = 0;  // of the longest question; 0: short
  Urgency urgency = Urgency::kNow;
  bool must_survive = false;  // a restart of this process or of the server must not lose it
};

struct Advice {
  Pattern pattern = Pattern::kSync;
  std::string call;    // the member of Client to use
  std::string reason;  // one sentence
};

Advice ChoosePattern(const Work& work);

}  // namespace llm_router::client
