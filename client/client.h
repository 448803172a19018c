// Client: asks language models through llm-router, from any C++17 program.
//
//   llm_router::client::Client client;  // $LLM_ROUTER_ADDRESS, else 127.0.0.1:50000
//   const auto answer = client.Ask("openai", "What is a message broker?");
//   if (answer.ok()) {
//     std::cout << answer->text << '\n';
//   } else {
//     std::cerr << answer.error().message << '\n';
//   }
//
// A Client is one connection and one thread of its own; make one per process and share it. Every member may
// be called from any thread, any number of calls at once. It connects by itself and mends a broken
// connection. No call throws for what a network, server or provider does: failures come as Error (result.h).
// A question is asked at most once: the client itself never repeats it.
//
// It speaks the KubeMQ wire, so the server may be `llm-router serve` or a KubeMQ server with llm-router
// workers on it. Link the CMake target llm_router_client.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/canceller.h"
#include "client/result.h"

namespace llm_router::client {

struct Options {
  std::string address;                        // HOST:PORT; empty: $LLM_ROUTER_ADDRESS, else 127.0.0.1:50000
  std::string route;                          // for questions that name none
  std::chrono::milliseconds timeout{60'000};  // for questions that set none; above 0, at most 24 h
  std::string key;                            // empty: $LLM_ROUTER_KEY, else none
  // TLS, where any of these is given: paths to PEM files. `ca` signed the server's certificate ("system":
  // whoever this machine trusts); `cert` and its private key `cert_key` are shown to a server that asks for
  // them.
  std::string ca;
  std::string cert;
  std::string cert_key;
  std::size_t max_body = 32 * 1024 * 1024;  // bytes of one question or answer
  std::string client_id;                    // how the server's side sees this caller; empty: a random one
};

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

// One question of AskMany has ended.
struct Progress {
  std::size_t index;             // which one, in the order they were given
  const Result<Answer>& result;  // its own; valid during the call
  std::size_t done;              // that have ended, this one included
  std::size_t failed;            // of these
  std::size_t total;
};

struct ManyOptions {
  std::size_t concurrency = 16;  // questions under way at once, 1 to 10,000
  // Called after each question, in the order in which they end, on the thread that called AskMany: it may use
  // the Client, and a slow one delays no question. What it throws cancels the rest and leaves AskMany.
  std::function<void(const Progress&)> on_progress;
  // Cancelled: what is under way is aborted, what is not yet asked never will be; both are kCancelled.
  Canceller canceller;
};

// A route, summed over the workers that serve it.
struct Route {
  std::string name;
  std::vector<std::string> models;
  std::int64_t workers = 0;
  std::int64_t in_flight = 0;  // queries being answered now
  std::int64_t capacity = 0;   // how many can be at once
};

class Client {
 public:
  // Never fails: an address or option that can't be used is the error of every call.
  explicit Client(Options options = {});
  // Questions still under way end at once with kCancelled, their provider calls are aborted. No other call
  // may be running in another thread.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Asks and waits. No server there: kEngineUnavailable within seconds, not after the whole timeout.
  Result<Answer> Ask(Question question);
  Result<Answer> Ask(std::string route, std::string text);

  // Asks and returns; the future becomes ready on the client's thread, and destroying it does not wait.
  std::future<Result<Answer>> AskAsync(Question question);
  std::future<Result<Answer>> AskAsync(std::string route, std::string text);

  // Asks them all, a few at a time, and waits: one result for each, in their order. A question's timeout
  // begins when it is asked, not before. One that fails leaves the others alone.
  std::vector<Result<Answer>> AskMany(std::vector<Question> questions, ManyOptions options = {});
  std::vector<Result<Answer>> AskMany(const std::string& route, std::vector<std::string> texts,
                                      ManyOptions options = {});

  // The routes somebody serves now, by name: listens to the workers' heartbeats (one a second) for
  // `listen_for`. Empty: the server is there, but no worker.
  Result<std::vector<Route>> Routes(std::chrono::milliseconds listen_for = std::chrono::milliseconds(1'500));

  // HOST:PORT as it was resolved.
  const std::string& address() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace llm_router::client
