// RestRig: the REST door beside the gRPC door of a DoorRig, and a plain HTTP client on the test's thread.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "router/gateway/kubemq_rest.h"
#include "tests/support/websocket_client.h"
#include "tests/unit/gateway/door_rig.h"

namespace llm_router::test {

struct HttpAnswer {
  HttpAnswer() = default;

  int status = 0;
  std::string head;
  std::string body;
  nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
};

class RestRig {
 public:
  explicit RestRig(KubemqServerOptions serving = {}, KubemqRestOptions options = {}, bool keeps = false);
  ~RestRig();

  DoorRig& doors() { return doors_; }
  int port() const { return port_; }
  DoorStats Stats();
  // Stops as the process does: the server, then the doors.
  void Stop(Milliseconds grace);

  // `headers`: more lines, each with its CRLF.
  HttpAnswer Get(std::string_view path, std::string_view headers = "");
  HttpAnswer Post(std::string_view path, std::string_view body, std::string_view type = "application/json",
                  std::string_view headers = "");
  void EndRevoked();

 private:
  HttpAnswer Exchange(const std::string& request);

  DoorRig doors_;
  std::unique_ptr<KubemqRest> rest_;
  int port_ = 0;
};

}  // namespace llm_router::test
