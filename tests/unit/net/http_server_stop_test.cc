// How a server stops, and what its handlers can still say.
#include <optional>
#include <string>

#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "tests/support/run.h"
#include "tests/unit/net/http_server_rig.h"

namespace llm_router {
namespace {

using test::CallTo;
using test::kGrace;
using test::kPatience;
using test::Run;
using test::Serve;

Awaitable<void> StopAndTell(HttpServer& server, Milliseconds grace, OneShot<bool>& stopped) {
  co_await server.Stop(grace);
  stopped.Set(true);
}

Awaitable<void> CallAndTell(HttpClient& client, HttpCall call, OneShot<absl::StatusOr<HttpReply>>& told) {
  told.Set(co_await client.Do(std::move(call)));
}

}  // namespace

TEST_CASE("stopping lets running requests finish within the grace and cancels the others") {
  const bool patient = GENERATE(true, false);
  Run([patient](Loop& loop) -> Awaitable<void> {
    OneShot<bool> began(loop.executor());
    OneShot<bool> go_on(loop.executor());
    OneShot<bool> stopped(loop.executor());
    const auto server = Serve(loop, [&](HttpRequest&, HttpResponder& responder) -> Awaitable<void> {
      began.Set(true);
      (void)co_await go_on.Wait(Now() + kPatience);
      (void)co_await responder.Send(HttpResponse(200, {}, "done"));
    });
    HttpClient client(loop.executor());
    TaskGroup tasks(loop.executor());
    OneShot<absl::StatusOr<HttpReply>> told(loop.executor());
    tasks.Spawn(CallAndTell(client, CallTo(*server), told));
    CHECK((co_await began.Wait(Now() + kPatience)).has_value());
    tasks.Spawn(StopAndTell(*server, patient ? Milliseconds(kPatience) : Milliseconds(0), stopped));
    if (patient) {
      CHECK_FALSE(stopped.is_set());
      go_on.Set(true);
    }
    const auto reply = co_await told.Wait(Now() + kPatience);
    REQUIRE(reply.has_value());
    CHECK(reply->ok() == patient);
    CHECK((co_await stopped.Wait(Now() + kPatience)).has_value());
    co_await tasks.Join();
  });
}

TEST_CASE("a handler that the server cancels can still end its reply, once") {
  Run([](Loop& loop) -> Awaitable<void> {
    OneShot<bool> began(loop.executor());
    OneShot<bool> stopped(loop.executor());
    bool had_another = true;
    const auto server = Serve(loop, [&](HttpRequest&, HttpResponder& responder) -> Awaitable<void> {
      CHECK_FALSE(co_await responder.HasLastWord());
      (void)co_await responder.SendHead(200, {}, {});
      began.Set(true);
      (void)co_await Sleep(TimePoint::max());
      CHECK(co_await responder.HasLastWord());
      (void)co_await responder.Write("last word");
      (void)co_await responder.Finish();
      (void)co_await Sleep(TimePoint::max());
      had_another = co_await responder.HasLastWord();
    });
    HttpClient client(loop.executor());
    TaskGroup tasks(loop.executor());
    OneShot<absl::StatusOr<HttpReply>> told(loop.executor());
    tasks.Spawn(CallAndTell(client, CallTo(*server), told));
    CHECK((co_await began.Wait(Now() + kPatience)).has_value());
    tasks.Spawn(StopAndTell(*server, Milliseconds(0), stopped));
    const auto reply = co_await told.Wait(Now() + kPatience);
    REQUIRE(reply.has_value());
    REQUIRE(reply->ok());
    CHECK((*reply)->body == "last word");
    CHECK((co_await stopped.Wait(Now() + kPatience)).has_value());
    CHECK_FALSE(had_another);
    co_await tasks.Join();
  });
}

TEST_CASE("a handler whose client went away has no last word") {
  Run([](Loop& loop) -> Awaitable<void> {
    OneShot<bool> began(loop.executor());
    OneShot<bool> has_last_word(loop.executor());
    const auto server = Serve(loop, [&](HttpRequest&, HttpResponder& responder) -> Awaitable<void> {
      (void)co_await responder.SendHead(200, {}, {});
      began.Set(true);
      (void)co_await Sleep(TimePoint::max());
      has_last_word.Set(co_await responder.HasLastWord());
    });
    HttpClient client(loop.executor());
    TaskGroup tasks(loop.executor());
    OneShot<absl::StatusOr<HttpReply>> told(loop.executor());
    const auto call = tasks.Spawn(CallAndTell(client, CallTo(*server), told));
    CHECK((co_await began.Wait(Now() + kPatience)).has_value());
    tasks.Cancel(call);
    CHECK(co_await has_last_word.Wait(Now() + kPatience) == std::optional(false));
    co_await tasks.Join();
    co_await server->Stop(kGrace);
  });
}

}  // namespace llm_router
