// Question and Answer: what a model is asked, and what it answers.
//
// Plain values: copy, move and send them between threads as you like. C++17, standard library only.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace llm_router::client {

// Either a text or, with a dialect, a whole request of that API.
struct Question {
  std::string route;  // openai asks on the channel openai_requests; empty: Options::route
  std::string text;   // the prompt, UTF-8
  std::string model;  // one that the route lists; empty: the route's first
  std::string system;
  std::optional<double> temperature;       // 0 to 2
  std::optional<std::int64_t> max_tokens;  // above 0
  // openai.chat or anthropic.messages, and that API's JSON request. The text, model, system, temperature and
  // max_tokens above stay empty then: the body says them.
  std::string dialect;
  std::string body;
  std::optional<std::chrono::milliseconds> timeout;  // empty: Options::timeout
  std::string request_id;                            // yours, passed along and echoed in Answer::tags
  // A route that nobody serves: true answers at once with kUnknownRoute, false waits for a worker until the
  // timeout. (A plain KubeMQ server always waits.)
  bool fail_fast = true;
};

struct Answer {
  std::string text;      // of a dialect's reply: the text in it; empty where there is none (tool calls)
  std::string model;     // that answered
  std::string provider;  // that answered; "simulated" when no real one did
  std::optional<std::int64_t> input_tokens;  // where the provider said
  std::optional<std::int64_t> output_tokens;
  std::int64_t attempts = 0;          // provider calls it took; 0: not said
  std::vector<std::string> warnings;  // what of the question the provider could not be told
  std::string body;                   // as it came: with a dialect, that API's JSON reply
  std::string content_type;
  std::map<std::string, std::string> tags;  // everything else the worker said
};

}  // namespace llm_router::client
