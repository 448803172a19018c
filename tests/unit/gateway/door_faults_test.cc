// What went wrong on other servers, or may go wrong on any wire, and must not here.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <regex>
#include <thread>

#include "broker_adapters/base/one_shot.h"
#include "proto/contract.h"
#include "proto/control.h"
#include "tests/support/catch.h"
#include "tests/unit/gateway/door_rig.h"

namespace llm_router::test {
namespace {

kubemq::Response AnswerTo(const kubemq::Request& request, const std::string& body) {
  kubemq::Response answer;
  answer.set_clientid("worker");
  answer.set_requestid(request.requestid());
  answer.set_replychannel(request.replychannel());
  answer.set_body(body);
  answer.set_executed(true);
  return answer;
}

std::future<kubemq::Response> SendInBackground(DoorRig& rig, const kubemq::Request& request) {
  return std::async(std::launch::async, [&rig, request] {
    kubemq::Response response;
    const grpc::Status status = Send(rig, request, response);
    if (!status.ok()) response.set_error(status.error_message());
    return response;
  });
}

TEST_CASE("a channel with a TAB or newline is refused, and later queries go on") {
  DoorRig rig;
  rig.Serve("good", Echo);
  for (const char* channel : {"a\tb", "a\nb", "a\r", "a\x01"}) {
    kubemq::Response response;
    const grpc::Status status = Send(rig, QueryOn(channel), response);
    CHECK(status.error_code() == grpc::StatusCode::INTERNAL);
    CHECK(status.error_message() == "Error 108: invalid channel value, no white spaces are allowed");
    CHECK(Send(rig, QueryOn("good"), response).ok());
  }
}

TEST_CASE("an answer to a forged reply channel is OK and reaches nobody") {
  DoorRig rig;
  const auto events = SubscribeToEvents(rig, Subscribe(kubemq::Subscribe::Events, "victim"));
  kubemq::Request request;
  request.set_requestid("r");
  for (const char* forged : {"victim", "_EVENTS_.victim", "_INBOX.0123456789012345678901.01234567"}) {
    request.set_replychannel(forged);
    CHECK(Send(rig, AnswerTo(request, "forged")).ok());
  }
  kubemq::Event event;
  event.set_clientid("c");
  event.set_channel("victim");
  event.set_body("genuine");
  kubemq::Result result;
  REQUIRE(Send(rig, event, result).ok());
  kubemq::EventReceive got;
  REQUIRE(events->reader->Read(&got));
  CHECK(got.body() == "genuine");
  CHECK(rig.Stats().stray_answers == 3);
}

TEST_CASE("reply channels look like KubeMQ's, and the first answer wins; second and late ones are dropped") {
  DoorRig rig;
  const auto stream = SubscribeToRequests(rig, Subscribe(kubemq::Subscribe::Queries, "q"));
  auto response = SendInBackground(rig, QueryOn("q"));
  kubemq::Request got;
  REQUIRE(stream->reader->Read(&got));
  CHECK(std::regex_match(got.replychannel(), std::regex("_INBOX\\.[0-9A-Za-z]{22}\\.[0-9A-Za-z]{8}")));
  CHECK(Send(rig, AnswerTo(got, "first")).ok());
  CHECK(Send(rig, AnswerTo(got, "second")).ok());
  CHECK(response.get().body() == "first");
  CHECK(Send(rig, AnswerTo(got, "late")).ok());
  CHECK(rig.Stats().stray_answers == 2);
}

TEST_CASE("two queries with the same id get each its own answer") {
  DoorRig rig;
  const auto stream = SubscribeToRequests(rig, Subscribe(kubemq::Subscribe::Queries, "q"));
  auto one = SendInBackground(rig, QueryOn("q", "one"));
  auto two = SendInBackground(rig, QueryOn("q", "two"));
  kubemq::Request first, second;
  REQUIRE(stream->reader->Read(&first));
  REQUIRE(stream->reader->Read(&second));
  CHECK(first.requestid() == second.requestid());
  CHECK(Send(rig, AnswerTo(second, second.body())).ok());
  CHECK(Send(rig, AnswerTo(first, first.body())).ok());
  CHECK(one.get().body() == "one");
  CHECK(two.get().body() == "two");
}

TEST_CASE("a subscriber that goes away fails its unanswered queries at once") {
  DoorRig rig;
  auto stream = SubscribeToRequests(rig, Subscribe(kubemq::Subscribe::Queries, "q"));
  auto response = SendInBackground(rig, QueryOn("q"));
  kubemq::Request got;
  REQUIRE(stream->reader->Read(&got));
  stream.reset();
  const kubemq::Response failed = response.get();
  CHECK_FALSE(failed.executed());
  CHECK_THAT(failed.body(), Catch::Contains("worker_lost"));
}

TEST_CASE("a caller that goes away makes the workers hear of it") {
  DoorRig rig;
  const auto control = SubscribeToEvents(rig, Subscribe(kubemq::Subscribe::Events, "llm_control"));
  const auto stream = SubscribeToRequests(rig, Subscribe(kubemq::Subscribe::Queries, "openai_requests"));
  grpc::ClientContext context;
  std::thread caller([&] {
    kubemq::Response response;
    (void)rig.stub().SendRequest(&context, QueryOn("openai_requests"), &response);
  });
  kubemq::Request got;
  const bool asked = stream->reader->Read(&got);
  context.TryCancel();
  caller.join();
  REQUIRE(asked);
  kubemq::EventReceive event;
  REQUIRE(control->reader->Read(&event));
  const auto told = contract::ParseControl(event.body());
  REQUIRE(told.ok());
  const auto* cancel = std::get_if<contract::Cancel>(&*told);
  REQUIRE(cancel != nullptr);
  CHECK(cancel->gone);
  CHECK(cancel->query == got.tags().at("query"));
  CHECK(cancel->deadline_ms > UnixMillis());
}

TEST_CASE("Stop answers the queries in flight, refuses new ones and ends subscriptions with UNAVAILABLE") {
  DoorRig rig;
  rig.ServeHeld("q");
  const auto requests = SubscribeToRequests(rig, Subscribe(kubemq::Subscribe::Queries, "other"));
  const auto events = SubscribeToEvents(rig, Subscribe(kubemq::Subscribe::Events, "e"));
  auto in_flight = SendInBackground(rig, QueryOn("q"));
  rig.WaitUntilHeld();
  std::thread stopper([&] { rig.StopDoor(std::chrono::seconds(30)); });
  kubemq::Response refused;
  grpc::Status status;
  do {
    kubemq::Request probe = QueryOn("nobody");
    probe.set_timeout(1);
    status = Send(rig, probe, refused);
  } while (status.error_code() == grpc::StatusCode::INTERNAL);
  CHECK(status.error_code() == grpc::StatusCode::UNAVAILABLE);
  CHECK(status.error_message() == "grpc server is not ready to accept requests");
  rig.Release();
  CHECK(in_flight.get().executed());
  kubemq::Request request;
  CHECK_FALSE(requests->reader->Read(&request));
  CHECK(requests->reader->Finish().error_code() == grpc::StatusCode::UNAVAILABLE);
  kubemq::EventReceive event;
  CHECK_FALSE(events->reader->Read(&event));
  CHECK(events->reader->Finish().error_code() == grpc::StatusCode::UNAVAILABLE);
  stopper.join();
}

TEST_CASE("what is in flight when the grace is over is told so, in a reply that no SDK sends again") {
  DoorRig rig;
  rig.ServeHeld("q");
  auto in_flight = SendInBackground(rig, QueryOn("q"));
  rig.WaitUntilHeld();
  rig.StopDoor(Milliseconds(10));
  const kubemq::Response cut = in_flight.get();
  CHECK_FALSE(cut.executed());
  CHECK_THAT(cut.body(), Catch::Contains("shutting_down"));
}

// One HTTP/2 connection without any stream, spoken by hand: a gRPC client would not ping this often.
class Pinger {
 public:
  explicit Pinger(int port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    Write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\x04\0\0\0\0\0", 9));
  }
  ~Pinger() { close(fd_); }

  void Ping() { Write(std::string("\0\0\x08\x06\0\0\0\0\0", 9) + "12345678"); }
  // Reads on until a ping is answered; false when the server says GOAWAY or closes instead.
  bool ReadPong() {
    for (;;) {
      const std::string head = Read(9);
      if (head.size() < 9) return false;
      const auto byte = [&](size_t i) { return static_cast<unsigned char>(head[i]); };
      (void)Read(static_cast<size_t>(byte(0)) << 16 | static_cast<size_t>(byte(1)) << 8 | byte(2));
      if (byte(3) == kGoAway) return false;
      if (byte(3) == kPing && (byte(4) & kAck) != 0) return true;
    }
  }

 private:
  static constexpr int kPing = 6, kGoAway = 7, kAck = 1;

  void Write(const std::string& bytes) {
    REQUIRE(write(fd_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  std::string Read(size_t size) {
    std::string bytes(size, '\0');
    const ssize_t got = size == 0 ? 0 : recv(fd_, bytes.data(), size, MSG_WAITALL);
    bytes.resize(got < 0 ? 0 : static_cast<size_t>(got));
    return bytes;
  }

  const int fd_;
};

TEST_CASE("a client that pings far too often by gRPC's own measure is not cut") {
  DoorRig rig;
  Pinger client(std::stoi(rig.address().substr(rig.address().find(':') + 1)));
  // gRPC's own limits allow two within five minutes.
  for (int i = 0; i < 50; ++i) {
    INFO("ping " << i);
    client.Ping();
    REQUIRE(client.ReadPong());
  }
}

}  // namespace
}  // namespace llm_router::test
