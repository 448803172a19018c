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
// A question is asked at most once: the client itself never repeats it. What must survive a restart, or has
// time, is a job (job.h) or a batch of them (batch.h): these are kept by the server, and asked for again
// without harm.
//
// It speaks the KubeMQ wire, so the server may be `llm-router serve` or a KubeMQ server with llm-router
// workers on it. Link the CMake target llm_router_client.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "client/batch.h"
#include "client/canceller.h"
#include "client/job.h"
#include "client/question.h"
#include "client/result.h"
#include "client/stream.h"

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

  // Asks, and gives the answer as it is made (stream.h); `on_piece` is called on this thread.
  AnswerStream Stream(Question question, const StreamOptions& options = {});
  AnswerStream Stream(std::string route, std::string text, const StreamOptions& options = {});
  Result<Answer> Stream(Question question, const std::function<void(const Piece&)>& on_piece,
                        const StreamOptions& options = {});
  // Goes on with a stream that was left, by whomever; `dialect` is its question's. What is gone by now (a
  // minute after its end, or its linger) is kInvalidRequest.
  AnswerStream Resume(const StreamPosition& from, const StreamOptions& options = {},
                      const std::string& dialect = {});

  // Asks them all, a few at a time, and waits: one result for each, in their order. A question's timeout
  // begins when it is asked, not before. One that fails leaves the others alone.
  std::vector<Result<Answer>> AskMany(std::vector<Question> questions, ManyOptions options = {});
  std::vector<Result<Answer>> AskMany(const std::string& route, std::vector<std::string> texts,
                                      ManyOptions options = {});

  // Puts it on the server's disk, and returns: the answer comes when it can (job.h).
  Result<Job> Submit(Question question, const JobOptions& options = {});
  Result<Job> Submit(std::string route, std::string text, const JobOptions& options = {});
  // By its id, or the MessageID a KubeMQ client sent it with.
  Result<Job> FindJob(const std::string& id);
  // The newest first, without those that are lines of batches.
  Result<std::vector<JobStatus>> Jobs(const JobFilter& filter = {});

  // Takes over a whole batch (batch.h) from a file, from a stream, or from prompts for one route, and starts
  // it. Reads a piece at a time. Bad lines are kInvalidRequest, and nothing of it runs; more than 50,000
  // lines or 200 MB are kTooLarge.
  Result<Batch> SubmitBatch(const std::string& file, const BatchOptions& options = {});
  Result<Batch> SubmitBatch(std::istream& lines, const BatchOptions& options = {});
  Result<Batch> SubmitBatch(const std::vector<std::string>& prompts, const BatchOptions& options = {});
  Result<Batch> FindBatch(const std::string& id);
  // The newest first, at most so many.
  Result<std::vector<BatchStatus>> Batches(std::size_t most = 20);

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
