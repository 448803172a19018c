// AnswerStream: an answer as it is made.
//
//   auto stream = client.Stream("openai", "Tell me a story.");
//   for (const auto& piece : stream) std::cout << piece.text << std::flush;
//   const auto answer = stream.Finish();  // the whole one, or why there is none
//
// A handle to one answer under way: movable, used by one thread at a time. It reads no faster than it is
// read: a slow reader makes the provider wait. A connection that breaks is mended, and the stream goes on
// where it was. Destroying it leaves the answer: for StreamOptions::linger anybody with a key of its
// tenant can take it up again (Client::Resume); then the provider call is aborted. Cancel() aborts it at
// once. C++17, standard library only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

#include "client/canceller.h"
#include "client/question.h"
#include "client/result.h"

namespace llm_router::client {

// What came at once.
struct Piece {
  std::string text;    // of the answer
  std::string frames;  // with a dialect: that API's server-sent events, as they came
};

// Where a stream was left.
struct StreamPosition {
  std::string worker;  // who has it; empty: nothing has come yet, and it can't be resumed
  std::string query;   // its id
  std::int64_t seq = -1;
};

struct StreamOptions {
  std::chrono::milliseconds linger{10'000};  // 0 to 60,000
  Canceller canceller;                       // Cancel() of the stream, from another thread
};

class AnswerStream {
 public:
  AnswerStream(AnswerStream&&) noexcept;
  AnswerStream& operator=(AnswerStream&&) noexcept;
  ~AnswerStream();

  // Waits for the next piece. Nothing: there are no more.
  std::optional<Piece> Next();
  // Reads what is left, and gives the whole answer, or the error that ended it.
  Result<Answer> Finish();
  // Whether every piece came; known once there are no more. (The answer of Finish is whole anyhow. What is
  // missing of a text comes as a last piece.)
  bool is_whole() const;
  // To resume after the last piece that was taken.
  StreamPosition position() const;
  void Cancel();

  class Iterator;
  Iterator begin();
  Iterator end();

 private:
  friend struct StreamCalls;
  class Impl;
  explicit AnswerStream(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// One pass over the pieces.
class AnswerStream::Iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = Piece;
  using difference_type = std::ptrdiff_t;
  using pointer = const Piece*;
  using reference = const Piece&;

  Iterator() = default;
  explicit Iterator(AnswerStream& stream) : stream_(&stream) { ++*this; }
  reference operator*() const { return *piece_; }
  pointer operator->() const { return &*piece_; }
  Iterator& operator++() {
    piece_ = stream_->Next();
    if (!piece_) stream_ = nullptr;
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const Iterator& a, const Iterator& b) { return a.stream_ == b.stream_; }
  friend bool operator!=(const Iterator& a, const Iterator& b) { return !(a == b); }

 private:
  AnswerStream* stream_ = nullptr;
  std::optional<Piece> piece_;
};

inline AnswerStream::Iterator AnswerStream::begin() { return Iterator(*this); }
inline AnswerStream::Iterator AnswerStream::end() { return Iterator(); }

}  // namespace llm_router::client
