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

// What is the loop's: shared with the coroutines there, which must not be the last to let go of the
// connection.
struct Remote {
  std::unique_ptr<ReplyStream> stream;  // null: not yet, or it never was
  absl::Status opened;
  bool is_cancelled = false;
  std::promise<void> is_open;

  void Cancel() {
    is_cancelled = true;
    if (stream) stream->Cancel();
  }
};
using Shared = std::shared_ptr<Remote>;

struct Took {
  std::optional<std::string> frames;
  StreamPosition position;
};
struct Ended {
  absl::StatusOr<Reply> reply;
  bool is_whole = false;
};
template <class T>
using Promise = std::shared_ptr<std::promise<T>>;

// These end before the connection does.
template <class Begin>
Awaitable<void> Open(Connection& connection, Shared remote, std::string channel, Begin begin) {
  auto stream = co_await begin(connection.streams());
  if (stream.ok()) {
    remote->stream = *std::move(stream);
    if (remote->is_cancelled) remote->Cancel();
  } else {
    remote->opened = co_await connection.Explain(std::move(stream).status(), channel);
  }
  remote->is_open.set_value();
}

Awaitable<void> TakeNext(Shared remote, Promise<Took> took) {
  Took taken;
  taken.frames = co_await remote->stream->Next();
  const llm_router::StreamPosition at = remote->stream->position();
  taken.position = StreamPosition{at.worker, at.query, at.seq};
  took->set_value(std::move(taken));
}

Awaitable<void> AwaitEnd(Connection& connection, Shared remote, std::string channel, Promise<Ended> ended) {
  auto reply = co_await remote->stream->AwaitReply();
  if (!reply.ok()) reply = co_await connection.Explain(std::move(reply).status(), channel);
  ended->set_value(Ended{std::move(reply), remote->stream->is_whole()});
}

}  // namespace

// The handle's thread waits for what coroutines on the connection's loop bring.
class AnswerStream::Impl {
 public:
  Impl(std::shared_ptr<Connection> connection, std::string dialect)
      : connection_(std::move(connection)), dialect_(std::move(dialect)), frame_text_(dialect_) {}

  // One of these, first.
  void Fail(const absl::Status& why) { answer_.emplace(ToError(why)); }
  template <class Begin>
  void Start(std::string channel, const Canceller& canceller, Begin begin) {
    channel_ = std::move(channel);
    OnLoop(
        [remote = remote_, channel = channel_, begin = std::move(begin)](Connection& connection) mutable {
          return Open(connection, remote, channel, std::move(begin));
        },
        [remote = remote_] {
          remote->opened = ClientGone();
          remote->is_open.set_value();
        });
    watch_.emplace(canceller, [connection = connection_.get(), remote = remote_] {
      connection->Post([remote] { remote->Cancel(); });
    });
  }

  std::optional<Piece> Next();
  const Result<Answer>& Finish();
  bool is_whole() const { return is_whole_; }
  StreamPosition position() const { return position_; }
  void Cancel() {
    connection_->Post([remote = remote_] { remote->Cancel(); });
  }
  void Leave() {
    watch_.reset();
    connection_->Post([remote = remote_] { remote->stream.reset(); });
  }

 private:
  static absl::Status ClientGone() {
    return MakeFault(Fault::kCancelled, "the Client is gone: keep it while its streams are read");
  }

  // Runs the coroutine that `make` makes, or `gone` where the client is.
  template <class Make, class Gone>
  void OnLoop(Make make, Gone gone) {
    connection_->Post(
        [connection = connection_.get(), make = std::move(make), gone = std::move(gone)]() mutable {
          if (!connection->is_open()) return gone();
          connection->tasks().Spawn(make(*connection));
        });
  }
  bool Opened();
  Piece ToPiece(std::string frames);
  std::optional<Piece> Rest();
  Result<Answer> ToResult(Ended ended);

  const std::shared_ptr<Connection> connection_;
  const std::string dialect_;
  std::string channel_;
  const Shared remote_ = std::make_shared<Remote>();
  std::optional<std::future<void>> opening_ = remote_->is_open.get_future();
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
    if (!remote_->opened.ok()) Fail(remote_->opened);
  }
  return !answer_;
}

std::optional<Piece> AnswerStream::Impl::Next() {
  if (over_ || !Opened()) return std::nullopt;
  const auto promise = std::make_shared<std::promise<Took>>();
  auto took = promise->get_future();
  OnLoop([remote = remote_, promise](Connection&) { return TakeNext(remote, promise); },
         [promise] { promise->set_value(Took()); });
  Took taken = took.get();
  if (taken.position.seq >= position_.seq) position_ = std::move(taken.position);
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
  const auto promise = std::make_shared<std::promise<Ended>>();
  auto ended = promise->get_future();
  OnLoop([remote = remote_, channel = channel_,
          promise](Connection& connection) { return AwaitEnd(connection, remote, channel, promise); },
         [promise] { promise->set_value(Ended{ClientGone(), false}); });
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

AnswerStream::AnswerStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
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
  auto impl = std::make_unique<AnswerStream::Impl>(connection, question.dialect);
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
  return AnswerStream(std::move(impl));
}

AnswerStream StreamCalls::Resume(std::shared_ptr<Connection> connection, const StreamPosition& from,
                                 const std::string& dialect, const StreamOptions& options) {
  auto impl = std::make_unique<AnswerStream::Impl>(connection, dialect);
  if (!connection->usable().ok()) {
    impl->Fail(connection->usable());
    return AnswerStream(std::move(impl));
  }
  llm_router::StreamPosition position{from.worker, from.query, from.seq};
  const TimePoint deadline = Now() + connection->options().timeout;
  impl->Start(
      contract::WorkerControlChannel(from.worker), options.canceller,
      [position = std::move(position), deadline, linger = options.linger](ReplyStreams& streams) mutable {
        return streams.Resume(std::move(position), {}, deadline, linger);
      });
  return AnswerStream(std::move(impl));
}

}  // namespace llm_router::client
