#include "client/stream.h"

#include <future>
#include <string_view>
#include <utility>

#include "broker_adapters/base/status.h"
#include "client/cancel_watch.h"
#include "client/convert.h"
#include "client/frame_text.h"
#include "client/stream_calls.h"
#include "proto/contract.h"
#include "proto/fault.h"

namespace llm_router::client {
namespace {

bool IsText(std::string_view dialect) { return dialect.empty() || dialect == contract::dialect::kText; }

}  // namespace

// The handle's thread waits for what coroutines on the connection's loop bring.
class AnswerStream::Impl : public std::enable_shared_from_this<AnswerStream::Impl> {
 public:
  Impl(std::shared_ptr<Connection> connection, std::string dialect)
      : connection_(std::move(connection)), dialect_(std::move(dialect)), frame_text_(dialect_) {}

  // One of these, first.
  void Fail(const absl::Status& why) { answer_.emplace(ToError(why)); }
  template <class Begin>
  void Start(std::string channel, const Canceller& canceller, Begin begin) {
    channel_ = std::move(channel);
    Spawn(
        [begin = std::move(begin)](Shared self) mutable { return Open(std::move(self), std::move(begin)); });
    watch_.emplace(canceller, [self = weak_from_this()] {
      if (const auto held = self.lock()) held->Cancel();
    });
  }

  std::optional<Piece> Next();
  const Result<Answer>& Finish();
  bool is_whole() const { return is_whole_; }
  StreamPosition position() const { return position_; }
  void Cancel();
  void Leave();

 private:
  using Shared = std::shared_ptr<Impl>;
  struct Took {
    std::optional<std::string> frames;
    StreamPosition position;
  };
  struct Ended {
    absl::StatusOr<Reply> reply;
    bool is_whole;
  };

  // `make` makes the coroutine, on the loop.
  template <class Make>
  void Spawn(Make make) {
    connection_->Post([self = shared_from_this(), make = std::move(make)]() mutable {
      self->connection_->tasks().Spawn(make(self));
    });
  }
  template <class Begin>
  static Awaitable<void> Open(Shared self, Begin begin) {
    auto stream = co_await begin(self->connection_->streams());
    if (stream.ok()) {
      self->stream_ = *std::move(stream);
    } else {
      self->opened_ = co_await self->connection_->Explain(std::move(stream).status(), self->channel_);
    }
    self->is_open_.set_value();
  }
  static Awaitable<void> Take(Shared self, std::promise<Took> took);
  static Awaitable<void> Await(Shared self, std::promise<Ended> ended);

  bool Opened();
  Piece ToPiece(std::string frames);
  std::optional<Piece> Rest();
  Result<Answer> ToResult(Ended ended);

  const std::shared_ptr<Connection> connection_;
  const std::string dialect_;
  std::string channel_;

  // Written on the loop before is_open_ is set; after that the loop's alone.
  std::unique_ptr<ReplyStream> stream_;
  absl::Status opened_;
  std::promise<void> is_open_;

  // The handle's.
  std::optional<std::future<void>> opening_ = is_open_.get_future();
  const FrameText frame_text_;
  std::string delivered_;  // of a text
  bool over_ = false;      // no more chunks
  bool is_whole_ = false;
  StreamPosition position_;
  std::optional<Result<Answer>> answer_;
  std::optional<CancelWatch> watch_;
};

// Whether there is a stream to read.
bool AnswerStream::Impl::Opened() {
  if (answer_) return false;
  if (opening_) {
    opening_->wait();
    opening_.reset();
    if (!opened_.ok()) Fail(opened_);
  }
  return !answer_;
}

Awaitable<void> AnswerStream::Impl::Take(Shared self, std::promise<Took> took) {
  Took taken;
  taken.frames = co_await self->stream_->Next();
  const llm_router::StreamPosition at = self->stream_->position();
  taken.position = StreamPosition{at.worker, at.query, at.seq};
  took.set_value(std::move(taken));
}

Awaitable<void> AnswerStream::Impl::Await(Shared self, std::promise<Ended> ended) {
  auto reply = co_await self->stream_->AwaitReply();
  if (!reply.ok()) reply = co_await self->connection_->Explain(std::move(reply).status(), self->channel_);
  ended.set_value(Ended{std::move(reply), self->stream_->is_whole()});
}

std::optional<Piece> AnswerStream::Impl::Next() {
  if (over_ || !Opened()) return std::nullopt;
  std::promise<Took> promise;
  auto took = promise.get_future();
  Spawn([promise = std::move(promise)](Shared self) mutable {
    return Take(std::move(self), std::move(promise));
  });
  Took taken = took.get();
  position_ = std::move(taken.position);
  if (taken.frames) return ToPiece(*std::move(taken.frames));
  over_ = true;
  return Rest();
}

Piece AnswerStream::Impl::ToPiece(std::string frames) {
  Piece piece;
  if (IsText(dialect_)) {
    delivered_ += frames;
    piece.text = std::move(frames);
  } else {
    piece.text = frame_text_.Take(frames);
    piece.frames = std::move(frames);
  }
  return piece;
}

// What the chunks lacked of a text: a worker that does not stream sends none at all.
std::optional<Piece> AnswerStream::Impl::Rest() {
  const Result<Answer>& answer = Finish();
  if (!answer.ok() || !IsText(dialect_)) return std::nullopt;
  const std::string_view text = answer->text;
  if (text.size() <= delivered_.size() || !text.starts_with(delivered_)) return std::nullopt;
  is_whole_ = true;
  return Piece{std::string(text.substr(delivered_.size())), {}};
}

const Result<Answer>& AnswerStream::Impl::Finish() {
  over_ = true;
  if (!Opened()) return *answer_;
  std::promise<Ended> promise;
  auto ended = promise.get_future();
  Spawn([promise = std::move(promise)](Shared self) mutable {
    return Await(std::move(self), std::move(promise));
  });
  answer_.emplace(ToResult(ended.get()));
  watch_.reset();
  return *answer_;
}

Result<Answer> AnswerStream::Impl::ToResult(Ended ended) {
  is_whole_ = ended.is_whole;
  if (!ended.reply.ok()) return ToError(ended.reply.status());
  auto answer = ToAnswer(dialect_, *std::move(ended.reply));
  if (!answer.ok()) return ToError(answer.status());
  return *std::move(answer);
}

void AnswerStream::Impl::Cancel() {
  connection_->Post([self = shared_from_this()] {
    if (self->stream_) self->stream_->Cancel();
  });
}

void AnswerStream::Impl::Leave() {
  watch_.reset();
  connection_->Post([self = shared_from_this()] { self->stream_.reset(); });
}

AnswerStream::AnswerStream(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
AnswerStream::AnswerStream(AnswerStream&&) noexcept = default;

AnswerStream& AnswerStream::operator=(AnswerStream&& other) noexcept {
  if (impl_ && this != &other) impl_->Leave();
  impl_ = std::move(other.impl_);
  return *this;
}

AnswerStream::~AnswerStream() {
  if (impl_) impl_->Leave();
}

std::optional<Piece> AnswerStream::Next() { return impl_->Next(); }

Result<Answer> AnswerStream::Finish() {
  while (impl_->Next()) {
  }
  return impl_->Finish();
}

bool AnswerStream::is_whole() const { return impl_->is_whole(); }
StreamPosition AnswerStream::position() const { return impl_->position(); }
void AnswerStream::Cancel() { impl_->Cancel(); }

AnswerStream StreamCalls::Ask(std::shared_ptr<Connection> connection, Question question,
                              const StreamOptions& options) {
  const auto impl = std::make_shared<AnswerStream::Impl>(connection, question.dialect);
  auto query = connection->usable().ok() ? ToQuery(std::move(question), connection->options())
                                         : absl::StatusOr<Query>(connection->usable());
  if (!query.ok()) {
    impl->Fail(query.status());
  } else {
    std::string channel = query->message.channel;
    impl->Start(std::move(channel), options.canceller,
                [asked = *std::move(query), linger = options.linger](ReplyStreams& streams) mutable {
                  return streams.Ask(std::move(asked), linger);
                });
  }
  return AnswerStream(impl);
}

AnswerStream StreamCalls::Resume(std::shared_ptr<Connection> connection, const StreamPosition& from,
                                 const std::string& dialect, const StreamOptions& options) {
  const auto impl = std::make_shared<AnswerStream::Impl>(connection, dialect);
  if (!connection->usable().ok()) {
    impl->Fail(connection->usable());
    return AnswerStream(impl);
  }
  llm_router::StreamPosition position{from.worker, from.query, from.seq};
  const TimePoint deadline = Now() + connection->options().timeout;
  impl->Start(
      contract::WorkerControlChannel(from.worker), options.canceller,
      [position = std::move(position), deadline, linger = options.linger](ReplyStreams& streams) mutable {
        return streams.Resume(std::move(position), {}, deadline, linger);
      });
  return AnswerStream(impl);
}

}  // namespace llm_router::client
