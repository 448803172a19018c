// RestRig: the REST door beside the gRPC door of a DoorRig, and a plain HTTP client on the test's thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "router/gateway/kubemq_rest.h"
#include "tests/support/http_exchange.h"
#include "tests/support/websocket_client.h"
#include "tests/unit/gateway/door_rig.h"

namespace llm_router::test {

class RestRig {
 public:
  explicit RestRig(KubemqServerOptions serving = {}, KubemqRestOptions options = {},
                   DoorRig::Keeps keeps = DoorRig::Keeps::kAll);
  ~RestRig();

  DoorRig& doors() { return doors_; }
  int port() const { return port_; }
  DoorStats Stats();
  // Stops as the process does: the server, then the doors.
  void Stop(Milliseconds grace);

  // `headers`: more lines, each with its CRLF.
  HttpAnswer Get(std::string_view path, std::string_view headers = "", std::string_view body = "");
  HttpAnswer Post(std::string_view path, std::string_view body, std::string_view type = "application/json",
                  std::string_view headers = "");
  void EndRevoked();

 private:
  DoorRig doors_;
  std::unique_ptr<KubemqRest> rest_;
  int port_ = 0;
};

}  // namespace llm_router::test
